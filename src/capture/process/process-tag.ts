import { randomUUID } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * Environment variable that marks a program and every process it starts. Agents start commands in sessions of their
 * own, which their process group does not reach. The prefix `GEMINI_CLI_` is required: the Gemini CLI passes only such
 * variables on when it clears the environment of commands (as on GitHub Actions).
 */
export const TAG_VARIABLE = 'GEMINI_CLI_AUDIT_TRACE_PROCESS'

export const newTag = (): string => randomUUID()

const TAG = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/

/** A process in the middle of `exec` has no environment for a moment, so one empty round is not enough. */
const ROUNDS_WITHOUT = 2
const ROUND_PAUSE_MS = 10
const LONGEST_MS = 5_000
/** There may be more processes than file descriptors. */
const READ_AT_ONCE = 32

/**
 * Kills every process with the tag, including those that start meanwhile, until none is left. Returns whether there
 * were any. Does nothing without `/proc`. Gives up after five seconds, because a process may hang in the kernel.
 * A process that clears its own environment is not found.
 */
export async function endTagged(tag: string): Promise<boolean> {
  // The agent can write the mark's file: an empty tag would match every process.
  if (!TAG.test(tag)) return false
  const deadline = performance.now() + LONGEST_MS
  let found = false
  const ending = new Set<number>()
  for (let without = 0; without < ROUNDS_WITHOUT && performance.now() < deadline;) {
    const pids = await taggedProcesses(tag)
    if (pids.length > 0) found = true
    for (const pid of pids) {
      kill(pid)
      ending.add(pid)
    }
    // One that is ending has no environment any more, but has not ended yet.
    for (const pid of ending) if (await hasEnded(pid)) ending.delete(pid)
    without = pids.length + ending.size === 0 ? without + 1 : 0
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

/** Empty if the process has ended or belongs to another user. */
const environmentOf = async (pid: number): Promise<string[]> =>
  (await readFile(`/proc/${String(pid)}/environ`, 'latin1').catch(() => '')).split('\0')

/** Whether a process is gone, or only its parent has not yet waited for it. */
async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'latin1').catch(() => '')
  return stat === '' || /^[ZX]/u.test(stat.slice(stat.lastIndexOf(')') + 2))
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
