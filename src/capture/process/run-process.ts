import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { endTagged, newTag, TAG_VARIABLE } from './process-tag.ts'

export interface ProcessRequest {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  /** Written to standard input, which is then closed. */
  readonly input?: string
  readonly timeoutMs: number
  /** Ends the program and every process it started. */
  readonly signal?: AbortSignal | undefined
  /** Called as soon as the program runs, with what identifies it and its children. */
  readonly onStart?: (started: StartedProcess) => void
}

export interface StartedProcess {
  readonly groupId: number
  /** In the environment of the program and of every process it starts. */
  readonly tag: string
}

export interface ProcessResult {
  readonly how: 'exited' | 'killed' | 'timeout' | 'cancelled'
  /** The exit code; `undefined` after a signal. */
  readonly code: number | undefined
  readonly endedBy: NodeJS.Signals | undefined
  readonly stdout: string
  readonly stderr: string
  /** Both streams in order of arrival. Above 16 MiB the middle is replaced by a marker. */
  readonly output: string
  /** Length of the uncut output in characters. */
  readonly outputChars: number
  readonly durationMs: number
}

/** Kept at each end of a stream. The rest is read and dropped, so that the process never blocks on a full pipe. */
const KEPT_CHARS = 8 * 1024 * 1024
const KILL_AFTER_MS = 3_000
/** How long to wait for the rest of the output after the program and its children have ended. */
const STREAMS_GRACE_MS = 2_000

/**
 * Runs a program, and ends every process that it started when it ends. The children of npm and of agents would otherwise
 * outlive their parents, some in process groups of their own, and write into the next program's workspace. The run
 * ends when the program itself ends, even if another process still holds its output open.
 * Rejects if the program cannot be started.
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
    /** Ends leftover processes and reads the rest of the output, for a limited time: an escaped process may keep the pipes open. */
    async function endLeftovers(): Promise<void> {
      const closed = once(child, 'close')
      endGroup(child.pid, 'SIGKILL')
      await endTagged(tag)
      const grace = new AbortController()
      await Promise.race([closed, delay(STREAMS_GRACE_MS, undefined, { signal: grace.signal })])
      grace.abort()
      for (const stream of child.stdio) stream?.destroy()
    }
    // A program that does not read its input closes it early. That is not a failure.
    child.stdin.on('error', () => undefined)
    child.stdin.end(request.input ?? '')
    if (child.pid !== undefined) request.onStart?.({ groupId: child.pid, tag })
    if (request.signal?.aborted === true) cancel()
    else request.signal?.addEventListener('abort', cancel, { once: true })
  })
}

/** Sends a signal to a process group. It is not an error if the group has ended. */
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
  /** Length of everything that was added. */
  chars(): number
}

/** Keeps the beginning and the end of a stream, in bounded memory. */
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
      // Not at every call: each cut copies the tail.
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
