import { z } from 'zod'
import { absolutePath, duration, nonEmpty, oneOf, onOff, parsed } from '../config/fields.ts'
import { flag, parseFlags } from '../config/flags.ts'
import {
  capFlags,
  countingFlags,
  listenFlag,
  pathsField,
  READING,
  readingFlags,
  SERVING,
} from '../config/shared-flags.ts'
import { parseDuration } from '../config/units.ts'

const { fileName, followSymlinks, maxLineBytes } = readingFlags

const MAX_INTERVAL_MS = 86_400_000

const LIVES = 'An exporter that lives as long as its builds:'

/** The flags of `watch`. Each value is text, as on the command line and in variables. */
const watchFlags = z.strictObject({
  roots: pathsField('Directories or files to watch. They need not exist yet.'),
  listen: listenFlag,
  state: flag(
    {
      value: '<dir>',
      env: 'AUDIT_STATE',
      group: SERVING,
      help: 'Directory for file positions and totals. Keep it on a persistent volume.',
    },
    absolutePath.prefault('.audit-trace-exporter'),
  ),
  newSeriesHold: flag(
    {
      value: '<duration>',
      env: 'AUDIT_NEW_SERIES_HOLD',
      group: SERVING,
      help: 'How long a new series is served as zero before its value. Set it to at least twice the scrape interval. Default: 30s, or two fifths of --linger if that is shorter.',
    },
    duration.optional(),
  ),
  linger: flag(
    {
      value: '<duration>',
      env: 'AUDIT_LINGER',
      group: LIVES,
      help: 'After SIGTERM, go on serving for at most this long, until each series has been scraped at zero and with its last value. Set it to at least four times the scrape interval, and the grace period of the container to more.',
    },
    duration.prefault('0s'),
  ),
  baseline: flag(
    {
      value: '<what>',
      env: 'AUDIT_BASELINE',
      group: LIVES,
      help: 'What the files contain at the very first start. existing: it is where the totals begin, and no increase. none: it counts from zero, because nothing was there before the exporter.',
    },
    oneOf(['existing', 'none']).prefault('existing'),
  ),
  closeBuildsOnExit: flag(
    {
      env: 'AUDIT_CLOSE_BUILDS_ON_EXIT',
      group: LIVES,
      help: 'On SIGTERM, close the builds that have no verdict yet, as --build-timeout would: they end with the exporter.',
    },
    onOff(),
  ),
  rows: flag(
    {
      value: '<dir>',
      env: 'AUDIT_ROWS',
      group: LIVES,
      help: 'Also keep the attributed rows in this directory, as `report --rows` does, for reports when the traces are gone. One directory for each exporter. Needs @duckdb/node-api.',
    },
    nonEmpty.optional(),
  ),
  rowsInterval: flag(
    {
      value: '<duration>',
      env: 'AUDIT_ROWS_INTERVAL',
      group: LIVES,
      help: 'How often to write what is new to --rows; each time is at least one file more for each day and project. After SIGTERM they are written once more, which may take up to 20s.',
    },
    parsed((text) => {
      const ms = parseDuration(text)
      return ms !== undefined && ms > 0 && ms <= MAX_INTERVAL_MS ? ms : undefined
    }, 'a duration such as 30s, 10m, up to 24h').prefault('10m'),
  ),
  histogramBuckets: flag(
    {
      value: '<which>',
      env: 'AUDIT_HISTOGRAM_BUCKETS',
      group: SERVING,
      help: 'all: every bucket of every histogram. none: only sums and counts, a third of the series; for fleets of short-lived exporters. Set it the same for all of them.',
    },
    oneOf(['all', 'none']).prefault('all'),
  ),
  webConfig: flag(
    {
      value: '<file>',
      env: 'AUDIT_WEB_CONFIG',
      group: SERVING,
      help: 'YAML file with TLS certificate and passwords, in the format of the Prometheus exporters.',
    },
    nonEmpty.optional(),
  ),
  fileName,
  poll: flag(
    {
      env: 'AUDIT_POLL',
      group: READING,
      help: 'Scan every second instead of watching for change events. For network and overlay mounts, which deliver none.',
    },
    onOff(),
  ),
  scanInterval: flag(
    {
      value: '<duration>',
      env: 'AUDIT_SCAN_INTERVAL',
      group: READING,
      help: 'How often to scan below the paths, besides change events; of more than 3,000 builds that are over, 3,000 in turn. A scan that takes longer than a fifth of it stretches the interval to ten times the scan.',
    },
    duration.prefault('10s'),
  ),
  followSymlinks,
  maxLineBytes,
  ...countingFlags,
  ...capFlags,
})

export type WatchConfig = z.output<typeof watchFlags>

export const watchDeclaration = {
  name: 'watch',
  summary: 'tail trace files and serve their totals to Prometheus',
  description:
    'The daemon: tails every audit_trace.jsonl below the given paths and serves exact totals on /metrics.',
  flags: watchFlags,
  notes: `
A flag takes precedence over its environment variable.
Durations: 500ms, 30s, 5m, 1h30m, 30d. Sizes: 1000, 64KiB, 16MiB, 64kB, 1GB.
Logs are written to standard error: one JSON object per line, or readable text
on a terminal.
Pushing with OTLP (http/protobuf), besides /metrics: set
OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318, or for Prometheus
http://prometheus:9090/api/v1/otlp. OTEL_EXPORTER_OTLP_*,
OTEL_METRIC_EXPORT_INTERVAL (60000 ms), OTEL_METRIC_EXPORT_TIMEOUT,
OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME are honoured; OTEL_SDK_DISABLED
or OTEL_METRICS_EXPORTER=none turns it off. See docs/push.md.
SIGTERM or SIGINT: stop reading, commit, push, serve on for --linger, close,
exit with 0. A second signal exits at once, with 1.
Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:
  audit-trace-exporter watch /builds
  audit-trace-exporter watch /builds /mnt/more --listen :9464 --poll \\
    --state /var/lib/audit
  audit-trace-exporter watch /builds --baseline none --close-builds-on-exit \\
    --linger 60s           beside one build, as a sidecar container
  audit-trace-exporter watch /builds --rows /rows/node-1 --rows-interval 1m
  audit-trace-exporter watch /builds --phase 'verify=^qa' --build-timeout 2h`,
}

/** Validates flags of `watch` given as text. Throws a `UsageError` that names the flag, the value and what is expected. */
export const parseWatchConfig = (flags: Record<string, unknown>): WatchConfig => parseFlags(watchFlags, flags)
