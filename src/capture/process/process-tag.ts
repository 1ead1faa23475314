import { randomUUID } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Names a program and all that it starts, in their environment: agents start commands in sessions of their own, out
 * of reach of their process group. The name's beginning is the only one that the Gemini CLI hands on to commands
 * even where it empties their environment (as it does on GitHub Actions).
 */
export const TAG_VARIABLE = 'GEMINI_CLI_AUDIT_TRACE_PROCESS'

export const newTag = (): string => randomUUID()

const TAG = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** One that is just becoming another program (`exec`) shows no environment for a moment: look twice. */
const ROUNDS_WITHOUT = 2
const ROUND_PAUSE_MS = 10
const LONGEST_MS = 5_000
/** A machine may have more processes than we may have files open. */
const READ_AT_ONCE = 32

/**
 * Kills every process that carries the tag, those too that it starts meanwhile, until none is left. Returns whether
 * there were any. Does nothing where there is no `/proc`, and gives up after five seconds: a process may hang in the
 * kernel. A process that empties its own environment is not found.
 */
export async function endTagged(tag: string): Promise<boolean> {
  // A mark is a file that the agent can write: a tag that anything carries would end everything.
  if (!TAG.test(tag)) return false
  const deadline = performance.now() + LONGEST_MS
  let found = false
  for (let without = 0; without < ROUNDS_WITHOUT && performance.now() < deadline;) {
    const pids = await taggedProcesses(tag)
    if (pids.length > 0) found = true
    for (const pid of pids) kill(pid)
    without = pids.length === 0 ? without + 1 : 0
    if (without < ROUNDS_WITHOUT) await delay(ROUND_PAUSE_MS)
  }
  return found
}

async function taggedProcesses(tag: string): Promise<number[]> {
  const names = await readdir('/proc').catch(() => [])
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid)
  const variable = `${TAG_VARIABLE}=${tag}`
  const tagged: number[] = []
  for (let at = 0; at < pids.length; at += READ_AT_ONCE) {
    const some = pids.slice(at, at + READ_AT_ONCE)
    const environments = await Promise.all(some.map(environmentOf))
    tagged.push(...some.filter((_, i) => environments[i]?.includes(variable)))
  }
  return tagged
}

/** Empty where the process is gone or another user's. */
const environmentOf = async (pid: number): Promise<string[]> =>
  (await readFile(`/proc/${String(pid)}/environ`, 'latin1').catch(() => '')).split('\0')

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
