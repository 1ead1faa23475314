import { spawn } from 'node:child_process'

export interface ProcessRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Given on standard input, which is then closed. */
  readonly input?: string
  readonly timeoutMs: number
  /** Ends the whole process group. */
  readonly signal?: AbortSignal | undefined
  /** Told the process group's id as soon as there is one. */
  readonly onStart?: (groupId: number) => void
}

export interface ProcessResult {
  readonly how: 'exited' | 'killed' | 'timeout' | 'cancelled'
  /** The exit code; `undefined` after a signal. */
  readonly code: number | undefined
  readonly endedBy: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
  /** Both streams in the order in which they arrived. */
  readonly output: string
  readonly durationMs: number
}

/** What one stream may bring; the rest is read and dropped, so that the process never waits for us. */
const MAX_OUTPUT_CHARS = 16 * 1024 * 1024
const KILL_AFTER_MS = 3_000

/**
 * Runs a program in a process group of its own, and ends the whole group with it: children of npm and of agents
 * outlive their parents otherwise. Rejects where the program cannot be started.
 */
export function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const child = spawn(request.command, request.args, {
      cwd: request.cwd,
      env: request.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const stdout = collector()
    const stderr = collector()
    const output = collector()
    let how: ProcessResult['how'] | undefined
    let killTimer: NodeJS.Timeout | undefined

    const end = (reason: 'timeout' | 'cancelled'): void => {
      if (how !== undefined) return
      how = reason
      endGroup(child.pid, 'SIGTERM')
      killTimer = setTimeout(() => endGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS)
    }
    const cancel = (): void => end('cancelled')
    const timer = setTimeout(() => end('timeout'), request.timeoutMs)
    const settle = (): void => {
      clearTimeout(timer)
      clearTimeout(killTimer)
      request.signal?.removeEventListener('abort', cancel)
      // Whatever the program left running in its group goes with it.
      endGroup(child.pid, 'SIGKILL')
    }

    child.on('error', (error) => {
      settle()
      reject(
        new Error(`cannot start ${request.command} in ${request.cwd}: ${error.message}`, { cause: error }),
      )
    })
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout.add(text)
      output.add(text)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr.add(text)
      output.add(text)
    })
    // A background child may hold the pipes open for ever: the group is ended when the program itself exits.
    child.on('exit', () => endGroup(child.pid, 'SIGKILL'))
    child.on('close', (code, signal) => {
      settle()
      resolve({
        how: how ?? (signal === null ? 'exited' : 'killed'),
        code: code ?? undefined,
        endedBy: signal ?? undefined,
        stdout: stdout.text(),
        stderr: stderr.text(),
        output: output.text(),
        durationMs: performance.now() - startedMs,
      })
    })
    // A program that does not read its input closes it early: not a failure of the run.
    child.stdin.on('error', () => undefined)
    child.stdin.end(request.input ?? '')
    if (child.pid !== undefined) request.onStart?.(child.pid)
    if (request.signal?.aborted === true) cancel()
    else request.signal?.addEventListener('abort', cancel, { once: true })
  })
}

/** Sends a signal to a whole process group; one that is gone already is no failure. */
export function endGroup(groupId: number | undefined, signal: NodeJS.Signals): void {
  if (groupId === undefined) return
  try {
    process.kill(-groupId, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function collector(): { add(text: string): void; text(): string } {
  const parts: string[] = []
  let length = 0
  return {
    add(text) {
      if (length >= MAX_OUTPUT_CHARS) return
      parts.push(text.slice(0, MAX_OUTPUT_CHARS - length))
      length += text.length
    },
    text: () => parts.join(''),
  }
}
