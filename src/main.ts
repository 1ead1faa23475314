#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { check } from './commands/check.ts'
import { watch, type WatchDeps } from './commands/watch.ts'
import { systemClock } from './clock.ts'
import { parseWatchConfig, UsageError } from './config/watch-config.ts'
import { parseSize } from './config/units.ts'
import { createLogger } from './log.ts'

const DONE = 0
const FAILED = 1
const USAGE = 2

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const log = createLogger({ fd: process.stderr.fd, pretty: process.stderr.isTTY })

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Asked twice: somebody does not want to wait.
    if (stop.signal.aborted) process.exit(FAILED)
    stop.abort()
  })
}

const watchDeps: WatchDeps = {
  log,
  clock: systemClock,
  version,
  signal: stop.signal,
  usage: {
    cpuSeconds: () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    startedSeconds: Date.now() / 1000 - process.uptime(),
  },
}

const program = new Command('audit-trace-exporter')
  .description('Exact Prometheus metrics from the audit_trace.jsonl files of AI code generation builds.')
  .version(version)
  .showHelpAfterError('(--help shows what can be said)')
  .exitOverride()

const flag = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable)

program
  .command('watch')
  .summary('read files as they grow and serve their totals')
  .description(
    'The daemon: tails every audit_trace.jsonl below the given paths and serves exact totals on /metrics.\n' +
      'Paths may be directories or files, and may not exist yet.',
  )
  .argument('<path...>', 'where the builds write their traces')
  .addOption(flag('--listen <address>', 'where to serve (default 127.0.0.1:9464)', 'AUDIT_LISTEN'))
  .addOption(
    flag(
      '--state <dir>',
      'where positions and totals are kept (default ./.audit-trace-exporter)',
      'AUDIT_STATE',
    ),
  )
  .addOption(flag('--file-name <name>', 'name of the traces (default audit_trace.jsonl)', 'AUDIT_FILE_NAME'))
  .addOption(
    flag('--poll', 'scan every second instead of watching: for network and overlay mounts', 'AUDIT_POLL'),
  )
  .addOption(
    flag(
      '--scan-interval <duration>',
      'how often to look at everything (default 10s)',
      'AUDIT_SCAN_INTERVAL',
    ),
  )
  .addOption(
    flag('--follow-symlinks', 'also follow links that lead out of the paths', 'AUDIT_FOLLOW_SYMLINKS'),
  )
  .addOption(
    flag(
      '--build-timeout <duration>',
      'a build idle for longer is closed (default 1h)',
      'AUDIT_BUILD_TIMEOUT',
    ),
  )
  .addOption(
    flag(
      '--new-series-hold <duration>',
      'how long a new series is shown at zero, at least twice the scrape interval (default 30s)',
      'AUDIT_NEW_SERIES_HOLD',
    ),
  )
  .addOption(
    flag(
      '--max-line-bytes <size>',
      'a longer line is skipped and counted (default 16MiB)',
      'AUDIT_MAX_LINE_BYTES',
    ),
  )
  .addOption(
    flag(
      '--phase <rule...>',
      'PHASE=REGEX, before the built-in rules: which steps belong to a phase',
      'AUDIT_PHASE',
    ),
  )
  .addOption(
    flag('--max-context-hashes <n>', 'more count as _other (default 200)', 'AUDIT_MAX_CONTEXT_HASHES'),
  )
  .addOption(flag('--max-steps <n>', 'more count as _other (default 100)', 'AUDIT_MAX_STEPS'))
  .addOption(flag('--max-error-types <n>', 'more count as _other (default 100)', 'AUDIT_MAX_ERROR_TYPES'))
  .addOption(
    flag(
      '--max-instruction-versions <n>',
      'more count as _other (default 100)',
      'AUDIT_MAX_INSTRUCTION_VERSIONS',
    ),
  )
  .addOption(
    flag(
      '--context-idle <duration>',
      'a hash unused for longer may give its place to a new one (default 30d)',
      'AUDIT_CONTEXT_IDLE',
    ),
  )
  .addOption(
    flag(
      '--web-config <file>',
      'TLS and passwords, in the format of Prometheus exporters',
      'AUDIT_WEB_CONFIG',
    ),
  )
  .addHelpText(
    'after',
    `
Every flag can also be given as a variable: --build-timeout 2h is AUDIT_BUILD_TIMEOUT=2h.

Examples:
  audit-trace-exporter watch /builds
  audit-trace-exporter watch /builds /mnt/more --listen :9464 --state /var/lib/audit --poll
  audit-trace-exporter watch /builds --phase 'verify=^qa' --build-timeout 2h`,
  )
  .action(async (roots: string[], flags: Record<string, unknown>) => {
    await watch(parseWatchConfig({ ...flags, roots }), watchDeps)
  })

program
  .command('check')
  .summary('validate files: one line for each fault')
  .description(
    'Validates every trace below the paths. Prints `file:line: field: cause` for each fault; exit code 1 if any.',
  )
  .argument('<path...>', 'files or directories')
  .option('--file-name <name>', 'name of the traces', 'audit_trace.jsonl')
  .option('--max-line-bytes <size>', 'a longer line is a fault', '16MiB')
  .option('--follow-symlinks', 'also follow links that lead out of the paths', false)
  .action(
    async (paths: string[], flags: { fileName: string; maxLineBytes: string; followSymlinks: boolean }) => {
      const maxLineBytes = parseSize(flags.maxLineBytes)
      if (!maxLineBytes)
        throw new UsageError(`--max-line-bytes: "${flags.maxLineBytes}" is not a size such as 64KiB, 16MiB`)
      const result = await check({ ...flags, paths, maxLineBytes }, (line) => console.log(line))
      console.error(`${result.files} files, ${result.lines} lines, ${result.faults} faults`)
      if (result.faults > 0) process.exitCode = FAILED
    },
  )

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : USAGE
  if (error instanceof UsageError) {
    console.error(`error: ${error.message}`)
    return USAGE
  }
  log.fatal({ event: 'failed', cause: String(error) }, error instanceof Error ? error.message : String(error))
  return FAILED
}
