import pino, { type Logger } from 'pino'
import type { PinoPretty } from 'pino-pretty'
import type { Clock } from './clock.ts'
import type { LogOptions } from './config/log-flags.ts'
import type { UnpricedReason } from './entry/supplement.ts'
import type { Events, SkipReason } from './events.ts'
import type { SelfMetrics } from './metrics/self.ts'

export type { Logger } from 'pino'

/** Where the daemon writes its log: pino and others fit. The fields say the same as the message, for programs. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface LogTarget {
  /** 2 for standard error. */
  readonly fd: number
  /** Lines to read instead of JSON: the function that formats them. */
  readonly pretty: typeof PinoPretty | false
  /** The least severe level that is written. Default `info`. */
  readonly level?: LogOptions['logLevel']
}

/** Writes one JSON object per line, synchronously, so that a crash does not lose the last lines. */
export function createLogger({ fd, pretty, level = 'info' }: LogTarget): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (pretty) {
    return pino(options, pretty({ destination: fd, sync: true, hideObject: true, translateTime: 'HH:MM:ss' }))
  }
  return pino(options, pino.destination({ dest: fd, sync: true }))
}

/** At most this many warnings per file and minute; the rest are summarised in one line. */
const WARNINGS_PER_WINDOW = 5
const WINDOW_MS = 60_000
const MAX_WINDOWS = 10_000

const MAX_PATHS = 20

interface LogEvents extends Events {
  /** Logs the summaries that are still due. */
  close(): void
}

const SKIPPED: Record<SkipReason, string> = {
  not_a_file: 'Neither a file nor a directory; it is not read.',
  link_outside:
    'Link leads out of the watched paths; it is not followed. Use --follow-symlinks to follow it.',
}

/** Calls back once, `ms` from now, unless the process ends before. */
type Later = (ms: number, callback: () => void) => void

const unrefTimer: Later = (ms, callback) => void setTimeout(callback, ms).unref()

/** Logs every event and counts the failed file operations. `later` is the timer, which tests replace. */
export function createLogEvents(
  log: Log,
  self: () => SelfMetrics | undefined,
  clock: Clock,
  later: Later = unrefTimer,
): LogEvents {
  const limit = createWarningLimit(log, clock, later)
  return {
    close: () => limit.close(),
    lineRejected({ path, line }, reason, field, cause) {
      if (!limit.admit(path)) return
      const where = field === '' ? `${path}:${line}` : `${path}:${line}: ${field}`
      log.warn({ event: 'line_rejected', path, line, reason, field, cause }, `${where}: ${cause} (${reason})`)
    },
    entryWarned({ path, line }, warning) {
      if (!limit.admit(path)) return
      log.warn({ event: 'entry_warned', path, line, warning }, `${path}:${line}: ${warning}`)
    },
    modelUnpriced: (model, reason) =>
      log.warn({ event: 'model_unpriced', model, reason }, describeUnpriced(model, reason)),
    rootWaiting: (root) =>
      log.warn({ event: 'root_waiting', root }, `${root}: Does not exist yet; waiting for it.`),
    rootFound: (root) => log.info({ event: 'root_found', root }, `${root}: Found; watching it.`),
    pathSkipped: (path, reason) =>
      log.warn({ event: 'path_skipped', path, reason }, `${path}: ${SKIPPED[reason]}`),
    fileFound: (path) => log.debug({ event: 'file_found', path }, `${path}: Found.`),
    rotationFound: (path) =>
      log.info(
        { event: 'rotation_found', path },
        `${path}: Found under a rotated name; reading it from the start.`,
      ),
    compressedFound: (paths) =>
      log.info(
        { event: 'compressed_found', paths: paths.slice(0, MAX_PATHS), files: paths.length },
        `${paths[0] ?? ''}: Compressed files are not read (${paths.length} new); lines that were not read before the compression are not counted.`,
      ),
    fileTruncated: (path, position, size) =>
      log.warn(
        { event: 'file_truncated', path, position, size },
        `${path}: File was truncated or replaced; reading again from the start.`,
      ),
    fileRotated: (from, to) =>
      log.info({ event: 'file_rotated', from, to }, `${from}: File was renamed to ${to}; reading it there.`),
    fileGone(path, pendingBytes) {
      if (pendingBytes === 0)
        log.debug({ event: 'file_gone', path }, `${path}: File was deleted; it was read to the end.`)
      else
        log.warn(
          { event: 'file_gone', path, pendingBytes },
          `${path}: File was deleted with an unfinished last line of ${pendingBytes} bytes, which is not counted.`,
        )
    },
    fileFailed(path, operation, error) {
      self()?.fileFailed(operation)
      const cause = error instanceof Error ? error.message : String(error)
      log.error(
        { event: 'file_failed', path, operation, cause },
        `${path}: Failed to ${operation}: ${cause}. Retrying.`,
      )
    },
    fileRecovered: (path) =>
      log.info({ event: 'file_recovered', path }, `${path}: Recovered; reading it again.`),
    caughtUp: (files, seconds) =>
      log.info(
        { event: 'caught_up', files, seconds },
        `Caught up with ${files} files in ${seconds.toFixed(1)} s; ready.`,
      ),
    commitFailed: (error) =>
      log.error(
        { event: 'commit_failed', cause: error.message },
        `${error.message} Reading is paused until the state can be written.`,
      ),
    commitRecovered: () =>
      log.info({ event: 'commit_recovered' }, 'The state can be written again; reading continues.'),
  }
}

/** A sentence that says which tokens have no cost, and what to do. */
export function describeUnpriced(model: string, reason: UnpricedReason): string {
  const name = JSON.stringify(model)
  if (reason === 'no_model') return 'Some entries name no model: their tokens have no cost.'
  return reason === 'no_price'
    ? `--prices has no price for the model ${name}: its tokens have no cost. Add it to the file.`
    : `Some entries of the model ${name} give only the sum of prompt and completion: their tokens have no cost.`
}

interface WarningLimit {
  /** Whether another warning about this file may be logged now. */
  admit(path: string): boolean
  /** Logs the summaries that are still due. */
  close(): void
}

interface Window {
  readonly startedMs: number
  logged: number
  suppressed: number
}

/** Limits the warnings for each file and logs, when its minute is over, how many were suppressed. */
function createWarningLimit(log: Log, clock: Clock, later: Later): WarningLimit {
  const windows = new Map<string, Window>()

  function end(path: string, window: Window): void {
    if (windows.get(path) !== window) return
    windows.delete(path)
    if (window.suppressed === 0) return
    log.warn(
      { event: 'lines_suppressed', path, lines: window.suppressed },
      `${path}: ${window.suppressed} further warnings were suppressed.`,
    )
  }

  function close(): void {
    for (const [path, window] of Array.from(windows)) end(path, window)
  }

  function windowOf(path: string): Window {
    const nowMs = clock.monotonicMs()
    const open = windows.get(path)
    if (open !== undefined && nowMs - open.startedMs < WINDOW_MS) return open
    if (open !== undefined) end(path, open)
    if (windows.size >= MAX_WINDOWS) close()
    const window = { startedMs: nowMs, logged: 0, suppressed: 0 }
    windows.set(path, window)
    return window
  }

  return {
    close,
    admit(path) {
      const window = windowOf(path)
      if (window.logged < WARNINGS_PER_WINDOW) {
        window.logged++
        return true
      }
      if (window.suppressed++ === 0) {
        log.warn(
          { event: 'lines_suppressed', path },
          `${path}: Further warnings for this file are suppressed for one minute.`,
        )
        later(window.startedMs + WINDOW_MS - clock.monotonicMs(), () => end(path, window))
      }
      return false
    },
  }
}
