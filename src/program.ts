import { Command, CommanderError, Option } from 'commander'
import { check } from './commands/check.ts'
import { demo } from './commands/demo.ts'
import { simulate, simulateOptions, type SimulateOptions } from './commands/simulate.ts'
import { watch, type WatchDeps } from './commands/watch.ts'
import { addWorker, type WorkerCommandDeps } from './commands/worker-flags.ts'
import { parseSize } from './config/units.ts'
import { parseFlags, parseWatchConfig, UsageError } from './config/watch-config.ts'

export interface ProgramDeps extends WatchDeps, WorkerCommandDeps {
  /** Writes a line to standard output: what was asked for. */
  readonly print: (line: string) => void
  /** Writes a line to standard error: everything else. */
  readonly complain: (line: string) => void
  /** Rewrites the last line of a terminal; absent where there is none. */
  readonly rewrite?: ((line: string) => void) | undefined
}

const DONE = 0
const FAILED = 1
const USAGE = 2

/** Understands the command line, runs the command, and returns the exit code: 0 done, 1 failed, 2 bad usage. */
export async function runProgram(argv: readonly string[], deps: ProgramDeps): Promise<number> {
  let exitCode = DONE
  const program = new Command('audit-trace-exporter')
    .description('Exact Prometheus metrics from the audit_trace.jsonl files of AI code generation builds.')
    .version(deps.version)
    .showHelpAfterError('(--help shows what can be said)')
    .configureOutput({
      writeOut: (text) => deps.print(text.trimEnd()),
      writeErr: (text) => deps.complain(text.trimEnd()),
    })
    .exitOverride()
  addWatch(program, deps)
  addCheck(program, deps, (code) => (exitCode = code))
  addDemo(program, deps)
  addSimulate(program, deps)
  addWorker(program, deps)
  try {
    await program.parseAsync(argv)
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? DONE : USAGE
    if (error instanceof UsageError) {
      deps.complain(`error: ${error.message}`)
      return USAGE
    }
    deps.log.fatal(
      { event: 'failed', cause: String(error) },
      error instanceof Error ? error.message : String(error),
    )
    return FAILED
  }
}

const flag = (flags: string, description: string, variable: string): Option =>
  new Option(flags, description).env(variable)

function addWatch(program: Command, deps: ProgramDeps): void {
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
    .addOption(
      flag('--file-name <name>', 'name of the traces (default audit_trace.jsonl)', 'AUDIT_FILE_NAME'),
    )
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
        'PHASE=REGEX: steps of a phase, asked before the built-in rules',
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
Logs are one JSON object per line on standard error, readable text on a terminal.
SIGTERM: stops reading, commits, closes. Exit codes: 0 done, 1 failed, 2 bad usage.

Examples:
  audit-trace-exporter watch /builds
  audit-trace-exporter watch /builds /mnt/more --listen :9464 --state /var/lib/audit --poll
  audit-trace-exporter watch /builds --phase 'verify=^qa' --build-timeout 2h`,
    )
    .action(async (roots: string[], flags: Record<string, unknown>) => {
      await watch(parseWatchConfig({ ...flags, roots }), deps)
    })
}

function addCheck(program: Command, deps: ProgramDeps, setExitCode: (code: number) => void): void {
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
        if (!maxLineBytes) {
          throw new UsageError(`--max-line-bytes: "${flags.maxLineBytes}" is not a size such as 64KiB, 16MiB`)
        }
        const result = await check({ ...flags, paths, maxLineBytes }, deps.print)
        deps.complain(`${result.files} files, ${result.lines} lines, ${result.faults} faults`)
        if (result.faults > 0) setExitCode(FAILED)
      },
    )
}

const withSimulatorFlags = (command: Command): Command =>
  command
    .option('--builds <n>', 'how many builds to write (default: until stopped)')
    .option('--speed <x>', 'how many times as fast as real builds', '60')
    .option('--parallel <n>', 'builds under way at once', '4')
    .option('--seed <text>', 'the same seed writes the same builds')
    .option('--keep <n>', 'remove the oldest ended builds past so many (default: keep all)')
    .option('--builds-per-context <n>', 'builds under one GEMINI.md before the next takes over', '25')
    .option('--spike-after-seconds <s>', 'when rework turns dearer (default: never)')
    .option('--spike-factor <x>', 'how many times as dear', '3')

function addDemo(program: Command, deps: ProgramDeps): void {
  const command = program
    .command('demo')
    .summary('simulate builds that write real files, and watch them')
    .description(
      'Shows the exporter at work: simulated builds write real audit traces, the daemon reads them as they grow.\n' +
        'Prints where to look.',
    )
    .option('--directory <dir>', 'where to write (default: a new directory for temporary files)')
    .option('--listen <address>', 'where to serve', '127.0.0.1:9464')
  withSimulatorFlags(command).action(async (flags: Record<string, unknown>) => {
    const { directory, listen, ...rest } = flags as { directory?: string; listen: string }
    const { directory: _, ...options } = simulatorOptions({ ...rest, directory: 'set by demo' })
    deps.log.level = 'warn'
    await demo({ ...options, directory, listen }, deps)
  })
}

function addSimulate(program: Command, deps: ProgramDeps): void {
  const command = program
    .command('simulate')
    .summary('write simulated builds into a directory')
    .description('Writes simulated builds below a directory, as pipelines would: something to watch.')
    .argument('<directory>', 'each build gets a directory of its own below it')
  withSimulatorFlags(command).action(async (directory: string, flags: Record<string, unknown>) => {
    await simulate(simulatorOptions({ ...flags, directory }), { log: deps.log, signal: deps.signal })
  })
}

const simulatorOptions = (flags: Record<string, unknown>): SimulateOptions =>
  parseFlags(simulateOptions, flags)
