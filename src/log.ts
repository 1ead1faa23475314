import pino, { type Logger } from 'pino'
import { PinoPretty } from 'pino-pretty'
import type { Clock } from './clock.ts'
import type { Events } from './events.ts'
import type { SelfMetrics } from './metrics/self.ts'

export type { Logger } from 'pino'

export interface LogTarget {
  /** 2 for standard error. */
  readonly fd: number
  /** Somebody reads along: colours and columns instead of JSON. */
  readonly pretty: boolean
}

/** One JSON object per line; written at once, so that a crash cannot take the last lines along. */
export function createLogger({ fd, pretty }: LogTarget): Logger {
  const options = {
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (pretty) {
    return pino(
      options,
      PinoPretty({ destination: fd, sync: true, hideObject: true, translateTime: 'HH:MM:ss' }),
    )
  }
  return pino(options, pino.destination({ dest: fd, sync: true }))
}

/** So many rejected lines of one file are logged in a window; the rest is counted and told in one line. */
const LINES_PER_WINDOW = 5
const WINDOW_MS = 60_000

const MAX_PATHS = 20

interface Window {
  startedMs: number
  logged: number
  suppressed: number
}

/** Logs and counts what the parts tell, once for each fact. */
export function createLogEvents(log: Logger, self: () => SelfMetrics | undefined, clock: Clock): Events {
  const windows = new Map<string, Window>()

  /** Whether another line about this file may be logged now. */
  function admit(path: string): boolean {
    const nowMs = clock.monotonicMs()
    let window = windows.get(path)
    if (window === undefined || nowMs - window.startedMs > WINDOW_MS) {
      if (window !== undefined) tellSuppressed(path, window)
      if (windows.size > 10_000) windows.clear()
      window = { startedMs: nowMs, logged: 0, suppressed: 0 }
      windows.set(path, window)
    }
    if (window.logged < LINES_PER_WINDOW) {
      window.logged++
      return true
    }
    if (window.suppressed++ === 0) {
      log.warn(
        { event: 'lines_suppressed', path },
        `${path}: more such lines; they are counted, not logged, for a minute`,
      )
    }
    return false
  }

  function tellSuppressed(path: string, window: Window): void {
    if (window.suppressed === 0) return
    log.warn(
      { event: 'lines_suppressed', path, lines: window.suppressed },
      `${path}: ${window.suppressed} more lines were not logged`,
    )
  }

  return {
    lineRejected({ path, line }, reason, field, cause) {
      if (!admit(path)) return
      const where = field === '' ? `${path}:${line}` : `${path}:${line}: ${field}`
      log.warn({ event: 'line_rejected', path, line, reason, field, cause }, `${where}: ${cause} (${reason})`)
    },
    entryWarned({ path, line }, warning) {
      if (!admit(path)) return
      log.warn({ event: 'entry_warned', path, line, warning }, `${path}:${line}: ${warning}`)
    },
    rootWaiting: (root) =>
      log.warn({ event: 'root_waiting', root }, `${root} does not exist yet; waiting for it`),
    rootFound: (root) => log.info({ event: 'root_found', root }, `${root} has appeared`),
    fileFound: (path) => log.debug({ event: 'file_found', path }, `${path}: found`),
    rotationFound: (path) =>
      log.info(
        { event: 'rotation_found', path },
        `${path}: found under a rotated name; reading it from the start`,
      ),
    compressedFound: (paths) =>
      log.info(
        { event: 'compressed_found', paths: paths.slice(0, MAX_PATHS), files: paths.length },
        `${paths[0] ?? ''}: compressed files are not read; what was not read before compression is not counted (${paths.length} new)`,
      ),
    fileTruncated: (path, position, size) =>
      log.warn(
        { event: 'file_truncated', path, position, size },
        `${path}: holds other content than was read (position ${position}, size now ${size}); reading it from its start`,
      ),
    fileRotated: (from, to) => log.info({ event: 'file_rotated', from, to }, `${from} is now ${to}`),
    fileGone(path, pendingBytes) {
      if (pendingBytes === 0) log.debug({ event: 'file_gone', path }, `${path}: gone, read to its end`)
      else
        log.warn(
          { event: 'file_gone', path, pendingBytes },
          `${path}: gone with an unfinished last line of ${pendingBytes} bytes`,
        )
    },
    fileFailed(path, operation, error) {
      self()?.fileFailed(operation)
      const cause = error instanceof Error ? error.message : String(error)
      log.error(
        { event: 'file_failed', path, operation, cause },
        `${path}: cannot ${operation}: ${cause}; trying again`,
      )
    },
    fileRecovered: (path) => log.info({ event: 'file_recovered', path }, `${path}: reading again`),
    caughtUp: (files, seconds) =>
      log.info(
        { event: 'caught_up', files, seconds },
        `caught up with ${files} files in ${seconds.toFixed(1)} s; ready`,
      ),
    commitFailed: (error) =>
      log.error(
        { event: 'commit_failed', cause: error.message },
        `${error.message} Reading is paused until then.`,
      ),
    commitRecovered: () =>
      log.info({ event: 'commit_recovered' }, 'the state can be written again; reading goes on'),
  }
}
