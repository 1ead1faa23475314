import { z } from 'zod'
import { absolutePath, duration, nonEmpty, onOff } from '../config/fields.ts'
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

const { fileName, followSymlinks, maxLineBytes } = readingFlags

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
      help: 'How long a new series is served as zero before its value. Set it to at least twice the scrape interval.',
    },
    duration.prefault('30s'),
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
      help: 'How often to scan everything below the paths, besides change events. A scan that takes longer than a fifth of it stretches the interval to ten times the scan.',
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
SIGTERM or SIGINT: stop reading, commit, close, exit with 0. A second signal
exits at once, with 1.
Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:
  audit-trace-exporter watch /builds
  audit-trace-exporter watch /builds /mnt/more --listen :9464 --poll \\
    --state /var/lib/audit
  audit-trace-exporter watch /builds --phase 'verify=^qa' --build-timeout 2h`,
}

/** Validates flags of `watch` given as text. Throws a `UsageError` that names the flag, the value and what is expected. */
export const parseWatchConfig = (flags: Record<string, unknown>): WatchConfig => parseFlags(watchFlags, flags)
