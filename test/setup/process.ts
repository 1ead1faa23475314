import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { onTestFinished, TestRunner } from 'vitest'

export interface Started {
  readonly child: ChildProcess
  /** Everything that it has written to stderr and stdout so far. */
  output(): string
  /** Sends the signal and waits for the exit; returns the exit code, or the signal that ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>
}

/** They end with this process. One listener for all: Node warns of a leak above ten. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** Starts a real program and ends it with the test at the latest. */
export function start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let output = ''
  const collect = (chunk: Buffer): void => void (output += chunk.toString())
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  ended.catch((error: unknown) => (output += String(error)))
  running.add(child)
  child.once('close', () => running.delete(child))
  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | NodeJS.Signals> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [code, by] = await ended
    return code ?? by ?? 0
  }
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(async () => void (await stop('SIGKILL')))
  return { child, output: () => output, stop }
}

/** Upper bound of a wait. It only ends waits that would never succeed; tests do not measure time. */
export const IN_VAIN_MS = 120_000

/** Polls until the result is neither undefined nor an error; fails with the last error. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  { detail = () => '' }: { detail?: () => string } = {},
): Promise<T> {
  const deadline = performance.now() + IN_VAIN_MS
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) {
      throw new Error(`not within ${IN_VAIN_MS} ms: ${what}\n${detail()}`, { cause: last })
    }
    await wait(25)
  }
}
