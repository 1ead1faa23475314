import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Meter } from '@opentelemetry/api'
import type { FileOperation } from '../events.ts'

/** The state of the exporter at the moment of a scrape. */
export interface Health {
  readonly version: string
  readonly ready: boolean
  readonly durable: boolean
  readonly files: Readonly<Record<string, number>>
  readonly pendingBytes: number
  readonly lagBytes: number
  readonly series: number
  /** When counting began: it tells states apart, wherever they are. */
  readonly stateCreatedMs: number
  /** `undefined` if the size cannot be read. */
  readonly stateBytes: number | undefined
}

export interface SelfMetrics {
  fileFailed(operation: FileOperation): void
  /** Call it after each successful commit, with the time that it took. */
  committed(seconds: number): void
}

/** Delays of the event loop since the last reset, as `node:perf_hooks` measures them. */
interface EventLoopDelay {
  /** In nanoseconds. */
  percentile(percentile: number): number
  reset(): void
}

export interface ProcessUsage {
  /** CPU time of the whole process. */
  cpuSeconds(): number
  residentBytes(): number
  heapUsedBytes(): number
  startedSeconds: number
}

const COMMIT_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

/**
 * The exporter's own health, as ordinary OpenTelemetry instruments: these may restart at zero with the process.
 * `delay` measures the event loop; tests replace it.
 */
export function createSelfMetrics(
  meter: Meter,
  health: () => Health,
  usage: ProcessUsage,
  delay: EventLoopDelay = measureEventLoop(),
): SelfMetrics {
  const fileErrors = meter.createCounter('audit_exporter.file_errors', {
    description: 'Operations on files or directories that failed and will be retried.',
  })
  const operations: readonly FileOperation[] = ['open', 'read', 'stat', 'list', 'watch']
  for (const op of operations) fileErrors.add(0, { op })
  const commits = meter.createCounter('audit_exporter.commits', {
    description: 'Commits of the state since the process started.',
  })
  commits.add(0)
  const commitSeconds = meter.createHistogram('audit_exporter.commit_duration_seconds', {
    description: 'Time that one commit of the state took.',
    advice: { explicitBucketBoundaries: COMMIT_BUCKETS },
  })
  observeHealth(meter, health)
  observeProcess(meter, usage, delay)

  return {
    fileFailed: (operation) => fileErrors.add(1, { op: operation }),
    committed(seconds) {
      commits.add(1)
      commitSeconds.record(seconds)
    },
  }
}

/** The metric of `watch --rows`. Returns what counts an update that failed. */
export function createRowsMetric(meter: Meter): () => void {
  const failures = meter.createCounter('audit_exporter.rows_update_failures', {
    description: 'Updates of the rows (--rows) that failed; the next one adds what they lack.',
  })
  failures.add(0)
  return () => failures.add(1)
}

/** Observes all gauges in one callback, so that the files of a large tree are counted once per scrape. */
function observeHealth(meter: Meter, health: () => Health): void {
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description })
  const buildInfo = gauge('audit_exporter.build_info', 'Version of this exporter.')
  const files = gauge('audit_exporter.files', 'Files known, by their state.')
  const pending = gauge('audit_exporter.pending_bytes', 'Bytes of unfinished last lines.')
  const lag = gauge('audit_exporter.lag_bytes', 'Bytes in the files that are not read yet.')
  const series = gauge(
    'audit_exporter.series',
    'Series in the state, including those that are held at zero or hidden.',
  )
  const stateBytes = gauge('audit_exporter.state_bytes', 'Size of the state on disk.')
  const created = gauge(
    'audit_exporter.state_created_timestamp_seconds',
    'When the state began to count, in seconds since 1970; it changes only if the state is lost.',
  )
  const ready = gauge('audit_exporter.ready', 'Whether the first pass is done and the state can be written.')
  const durable = gauge(
    'audit_exporter.state_durable',
    'Whether the last commit of the state reached the disk.',
  )
  meter.addBatchObservableCallback(
    (result) => {
      const now = health()
      result.observe(buildInfo, 1, { version: now.version })
      for (const [state, count] of Object.entries(now.files)) result.observe(files, count, { state })
      result.observe(pending, now.pendingBytes)
      result.observe(lag, now.lagBytes)
      result.observe(series, now.series)
      // Without an observation the SDK repeats the last value. NaN is how Prometheus writes an unknown one.
      result.observe(stateBytes, now.stateBytes ?? Number.NaN)
      result.observe(created, now.stateCreatedMs / 1000)
      result.observe(ready, now.ready ? 1 : 0)
      result.observe(durable, now.durable ? 1 : 0)
    },
    [buildInfo, files, pending, lag, series, stateBytes, created, ready, durable],
  )
}

function measureEventLoop(): EventLoopDelay {
  const delay = monitorEventLoopDelay({ resolution: 20 })
  delay.enable()
  return delay
}

/** Uses the names of Prometheus' client libraries, so that common dashboards find them. */
function observeProcess(meter: Meter, usage: ProcessUsage, delay: EventLoopDelay): void {
  meter
    .createObservableCounter('process_cpu_seconds', {
      description: 'CPU time of the process, user and system.',
    })
    .addCallback((result) => result.observe(usage.cpuSeconds()))
  const gauge = (name: string, description: string, value: () => number): void =>
    meter.createObservableGauge(name, { description }).addCallback((result) => result.observe(value()))
  gauge('process_resident_memory_bytes', 'Resident memory of the process.', usage.residentBytes)
  gauge(
    'process_start_time_seconds',
    'When the process started, in seconds since 1970.',
    () => usage.startedSeconds,
  )
  gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use.', usage.heapUsedBytes)
  gauge(
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the event loop delay since the last scrape.',
    () => {
      const seconds = delay.percentile(99) / 1e9
      delay.reset()
      return seconds
    },
  )
}
