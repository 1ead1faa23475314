import manifest from '../package.json' with { type: 'json' }
import { systemClock } from './clock.ts'
import { watchDeclaration, type WatchConfig } from './commands/watch-flags.ts'
import { watch } from './commands/watch.ts'
import { createLogger, type Log } from './log.ts'
import { processUsage } from './process-usage.ts'
import { pushSettings } from './push/settings.ts'

/** A text such as `500ms`, `30s`, `5m`, `1h30m`, `30d`. */
type Duration = string
/** A text such as `64KiB`, `16MiB`, `64kB`. */
type Size = string

/** The flags of the command `watch`, whose `--help` describes each of them, with the same defaults. Variables are not read. */
export interface ExporterOptions {
  /** Directories or files to watch. They need not exist yet. */
  readonly paths: readonly string[]
  /** Address to serve HTTP on: host:port. Port 0: any free one. Default `127.0.0.1:9464`. */
  readonly listen?: string
  /** Directory for file positions and totals, for one exporter at a time. Default `.audit-trace-exporter`. */
  readonly state?: string
  /** How long a new series is served as zero before its value: at least twice the scrape interval. Default `30s`. */
  readonly newSeriesHold?: Duration
  /** How long `stop()` goes on serving at most, until every last value has been scraped. Default `0s`. */
  readonly linger?: Duration
  /** What the files contain at the very first start: where the totals begin, or an increase. Default `existing`. */
  readonly baseline?: 'existing' | 'none'
  /** Whether `stop()` closes the builds that have no verdict yet. Default false. */
  readonly closeBuildsOnExit?: boolean
  /** Directory in which the attributed rows are kept as well, for `report --rows`. Needs `@duckdb/node-api`. Default: none. */
  readonly rows?: string
  /** How often new rows are written. Default `10m`. */
  readonly rowsInterval?: Duration
  readonly histogramBuckets?: 'all' | 'none'
  /** YAML file with TLS certificate and passwords. */
  readonly webConfig?: string
  /** Name of the trace files. Default `audit_trace.jsonl`. */
  readonly fileName?: string
  /** Scan every second instead of watching for change events. Default false. */
  readonly poll?: boolean
  readonly scanInterval?: Duration
  readonly followSymlinks?: boolean
  readonly maxLineBytes?: Size
  /** Close a build that has had no entry for this long. Default `1h`. */
  readonly buildTimeout?: Duration
  /** `PHASE=REGEX`: steps whose name matches belong to the phase. */
  readonly phase?: readonly string[]
  /** Regular expression for the paths of traces, whose group named `project` is the project. */
  readonly projectFromPath?: string
  /** YAML or JSON file with prices by model. */
  readonly prices?: string
  readonly maxContextHashes?: number
  readonly maxSteps?: number
  readonly maxErrorTypes?: number
  readonly maxInstructionVersions?: number
  readonly maxModels?: number
  readonly maxProjects?: number
  readonly contextIdle?: Duration
  /** Where to log. Default: one JSON object per line on standard error. */
  readonly log?: Log
  /**
   * Variables of OpenTelemetry that say where to push to, such as `OTEL_EXPORTER_OTLP_ENDPOINT`. Default: none, so that
   * those of the process around it do not start pushes.
   */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/** A running exporter. */
export interface Exporter {
  /** Where it serves, such as `http://127.0.0.1:9464`; the metrics are at `/metrics` below it. */
  readonly url: string
  /** Resolves when everything that was in the files at the start is counted, and `/metrics` answers. Rejects if that fails. */
  readonly ready: Promise<void>
  /** Resolves when it has stopped. Rejects if it failed. */
  readonly stopped: Promise<void>
  /** Stops reading, commits, lingers, closes. Safe to call more than once. Returns `stopped`. */
  stop(): Promise<void>
  /** `stop()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts the exporter within this process: it tails the trace files below the paths and serves their totals. Resolves
 * once it listens. It handles no signals: call `stop()` where your process ends.
 * Throws a `TypeError` that names the option if one cannot be used, and an error that says what to do if the state cannot
 * be opened, because another exporter uses it, or if it cannot listen at the address.
 */
export async function startExporter(options: ExporterOptions): Promise<Exporter> {
  const { paths, log = createLogger({ fd: process.stderr.fd, pretty: false }), env = {}, ...flags } = options
  const config = configOf({ ...flags, roots: paths })
  const stop = new AbortController()
  const listening = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<void>()
  const stopped = watch(config, {
    log,
    clock: systemClock,
    usage: processUsage,
    version: manifest.version,
    signal: stop.signal,
    push: pushSettings(env),
    onListening: listening.resolve,
    onReady: () => ready.resolve(),
  })
  stopped.then(
    () => ready.reject(new Error('The exporter was stopped before it was ready.')),
    (error: unknown) => {
      listening.reject(error)
      ready.reject(error)
    },
  )
  // Whoever needs to know awaits them; a process must not end because nobody does.
  ready.promise.catch(() => undefined)
  stopped.catch((error: unknown) =>
    log.error({ event: 'failed', cause: String(error) }, `The exporter failed: ${String(error)}`),
  )
  const end = (): Promise<void> => {
    stop.abort('stop()')
    return stopped
  }
  const url = await listening.promise
  return { url, ready: ready.promise, stopped, stop: end, [Symbol.asyncDispose]: end }
}

function configOf(flags: Readonly<Record<string, unknown>>): WatchConfig {
  const { data, error } = watchDeclaration.flags.safeParse(flags)
  if (data !== undefined) return data
  const [issue] = error.issues
  const key = String(issue?.path[0] ?? '')
  const option = key === 'roots' ? 'paths' : key
  throw new TypeError(`startExporter: ${option === '' ? '' : `${option}: `}${issue?.message ?? 'invalid'}`)
}
