import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { endTagged, newTag, TAG_VARIABLE } from './process-tag.ts'

export interface ProcessRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Given on standard input, which is then closed. */
  readonly input?: string
  readonly timeoutMs: number
  /** Ends the program and all that it started. */
  readonly signal?: AbortSignal | undefined
  /** Told by what the program and its children can be found, as soon as there is one. */
  readonly onStart?: (started: StartedProcess) => void
}

export interface StartedProcess {
  readonly groupId: number
  /** Stands in the environment of the program and all that it starts. */
  readonly tag: string
}

export interface ProcessResult {
  readonly how: 'exited' | 'killed' | 'timeout' | 'cancelled'
  /** The exit code; `undefined` after a signal. */
  readonly code: number | undefined
  readonly endedBy: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
  /** Both streams in the order in which they arrived; the middle of more than 16 MiB gives way to a marker. */
  readonly output: string
  /** How long `output` is without such a marker. */
  readonly outputChars: number
  readonly durationMs: number
}

/** What is kept of each end of a stream; all of it is read, so that the process never waits for us. */
const KEPT_CHARS = 8 * 1024 * 1024
const KILL_AFTER_MS = 3_000
/** After the program and its children have ended, what they wrote needs no longer to get here. */
const STREAMS_GRACE_MS = 2_000

/**
 * Runs a program, and ends with it all that it started: the children of npm and of agents outlive their parents
 * otherwise, in process groups of their own too, and write where the next program works. The run lasts until the
 * program itself has ended, whoever still holds its output open; one that exits before its deadline has exited.
 * Rejects where the program cannot be started.
 */
export function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const tag = newTag()
    const child = spawn(request.command, request.args, {
      cwd: request.cwd,
      env: { ...request.env, [TAG_VARIABLE]: tag },
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
    child.on('exit', (code, signal) => {
      settle()
      resolve(resultOf(code, signal))
    })
    async function resultOf(code: number | null, signal: NodeJS.Signals | null): Promise<ProcessResult> {
      const durationMs = performance.now() - startedMs
      await endLeftovers()
      return {
        how: how ?? (signal === null ? 'exited' : 'killed'),
        code: code ?? undefined,
        endedBy: signal ?? undefined,
        stdout: stdout.text(),
        stderr: stderr.text(),
        output: output.text(),
        outputChars: output.chars(),
        durationMs,
      }
    }
    /** Ends what the program left running, and takes what is on its way here; whoever escapes may hold the pipes for ever. */
    async function endLeftovers(): Promise<void> {
      const closed = once(child, 'close')
      endGroup(child.pid, 'SIGKILL')
      await endTagged(tag)
      const grace = new AbortController()
      await Promise.race([closed, delay(STREAMS_GRACE_MS, undefined, { signal: grace.signal })])
      grace.abort()
      for (const stream of child.stdio) stream?.destroy()
    }
    // A program that does not read its input closes it early: not a failure of the run.
    child.stdin.on('error', () => undefined)
    child.stdin.end(request.input ?? '')
    if (child.pid !== undefined) request.onStart?.({ groupId: child.pid, tag })
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

interface Collector {
  add(text: string): void
  text(): string
  /** Of all that was added. */
  chars(): number
}

/** Keeps both ends of a stream of any length, in bounded memory. */
function collector(): Collector {
  let head = ''
  let tail = ''
  let length = 0
  return {
    add(text) {
      length += text.length
      const room = KEPT_CHARS - head.length
      head += text.slice(0, room)
      tail += text.slice(room)
      // Seldom: each cut copies what stays.
      if (tail.length > 2 * KEPT_CHARS) tail = tail.slice(-KEPT_CHARS)
    },
    chars: () => length,
    text() {
      const omitted = length - head.length - KEPT_CHARS
      if (omitted <= 0) return head + tail
      const marker = `[… ${String(omitted)} of ${String(length)} characters left out …]`
      return `${head}\n${marker}\n${tail.slice(-KEPT_CHARS)}`
    },
  }
}
