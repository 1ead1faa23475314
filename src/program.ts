import { Command, CommanderError } from 'commander'
import { z } from 'zod'
import { assetsDeclaration } from './commands/assets-flags.ts'
import { backfillDeclaration } from './commands/backfill-flags.ts'
import { checkDeclaration } from './commands/check-flags.ts'
import { collectConfigOf, collectDeclaration } from './commands/collect-flags.ts'
import { EXIT, type Declaration, type OptionsOf } from './commands/command.ts'
import { demoDeclaration } from './commands/demo-flags.ts'
import { reportDeclaration } from './commands/report-flags.ts'
import { simulateDeclaration } from './commands/simulate-flags.ts'
import { watchDeclaration } from './commands/watch-flags.ts'
import type { WatchDeps } from './commands/watch.ts'
import { withTemporal } from './commands/temporal-packages.ts'
import { workerConfigOf, workerDeclaration } from './commands/worker-flags.ts'
import {
  argumentsOf,
  optionsOf,
  parseFlags,
  positionalKeys,
  takeSwitchValues,
  variablesOf,
} from './config/flags.ts'
import { logFlags, type LogOptions } from './config/log-flags.ts'
import { UsageError } from './config/usage-error.ts'
import { unknownVariables } from './config/variables.ts'
import type { Logger } from './log.ts'
import { pushSettings } from './push/settings.ts'
import { counted } from './render/format.ts'

export interface ProgramDeps extends Omit<WatchDeps, 'log' | 'push'> {
  /** Opens the log that the flags ask for. */
  readonly openLog: (options: LogOptions) => Logger | Promise<Logger>
  /** Writes a line to standard output: results. */
  readonly print: (line: string) => void
  /** Writes a line to standard error: everything else. */
  readonly complain: (line: string) => void
  /** Rewrites the last line of a terminal. Absent when standard output is no terminal. */
  readonly rewrite?: ((line: string) => void) | undefined
  /** Environment variables: values of flags, and the environment of agents and checks. */
  readonly env?: NodeJS.ProcessEnv
}

interface CommandDeps extends ProgramDeps {
  readonly log: Logger
}

interface RunnableCommand {
  readonly declaration: Declaration
  /** Validates the flags, runs the command, and returns the exit code. */
  readonly run: (flags: Record<string, unknown>, deps: CommandDeps) => Promise<number>
}

function define<D extends Declaration>(
  declaration: D,
  run: (options: OptionsOf<D>, deps: CommandDeps) => Promise<number>,
): RunnableCommand {
  return {
    declaration,
    run: (flags, deps) => run(parseFlags(declaration.flags, flags, deps.env) as OptionsOf<D>, deps),
  }
}

/** Every command. Its code is imported when it runs, so that `--help` needs none of it. */
const COMMANDS: readonly RunnableCommand[] = [
  define(watchDeclaration, async (config, deps) => {
    const { watch } = await load(import('./commands/watch.ts'))
    await watch(config, { ...deps, push: pushSettings(deps.env ?? {}) })
    return EXIT.done
  }),
  define(checkDeclaration, async (options, deps) => {
    const { check } = await load(import('./commands/check.ts'))
    const { files, lines, faults } = await unlessAborted(check(options, deps.print), deps.signal)
    deps.complain(`${counted(files, 'file')}, ${counted(lines, 'line')}, ${counted(faults, 'fault')}`)
    return faults === 0 ? EXIT.done : EXIT.failed
  }),
  define(backfillDeclaration, async (options, deps) => {
    const { backfill } = await load(import('./commands/backfill.ts'))
    return (await backfill(options, deps)) ? EXIT.done : EXIT.failed
  }),
  define(reportDeclaration, async (options, deps) => {
    const { report, requireSource } = await load(import('./commands/report.ts'))
    requireSource(options)
    return (await report(options, deps)) ? EXIT.done : EXIT.failed
  }),
  define(demoDeclaration, async (options, deps) => {
    const { demo } = await load(import('./commands/demo.ts'))
    await demo(options, deps)
    return EXIT.done
  }),
  define(simulateDeclaration, async (options, deps) => {
    const { simulate } = await load(import('./commands/simulate.ts'))
    await simulate(options, { log: deps.log, signal: deps.signal })
    return EXIT.done
  }),
  define(assetsDeclaration, async (options, deps) => {
    const { writeAssets } = await load(import('./commands/assets.ts'))
    writeAssets(options, deps)
    return EXIT.done
  }),
  define(collectDeclaration, async (flags, deps) => {
    const config = collectConfigOf(flags)
    const { collect } = await load(withTemporal('collect', import('./commands/collect.ts')))
    return (await collect(config, deps)) ? EXIT.done : EXIT.failed
  }),
  define(workerDeclaration, async (flags, deps) => {
    const config = workerConfigOf(flags)
    const { runWorker } = await load(import('./commands/run-worker.ts'))
    await runWorker(config, deps)
    return EXIT.done
  }),
]

/** Imports code, then yields to the event loop once: it delivers the signals that arrived meanwhile. */
async function load<T>(importing: Promise<T>): Promise<T> {
  const code = await importing
  await new Promise(setImmediate)
  return code
}

/** Waits for the work. Throws as soon as the signal is aborted. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => reject(new Error('Stopped before the end.'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
  return Promise.race([work, aborted])
}

const NO_FLAGS = z.strictObject({})

/** Parses the command line, runs the command, and returns the exit code: 0 done, 1 failed, 2 wrong usage. */
export async function runProgram(argv: readonly string[], deps: ProgramDeps): Promise<number> {
  let exitCode: number = EXIT.done
  let log: Logger | undefined
  const program = new Command('audit-trace-exporter')
    .description('Exact Prometheus metrics from the audit_trace.jsonl files of AI code generation builds.')
    .version(deps.version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Print this help.')
    .helpCommand('help [command]', 'print the help of a command')
    .showHelpAfterError('Run with --help for usage.')
    .configureOutput({
      writeOut: (text) => deps.print(text.trimEnd()),
      writeErr: (text) => deps.complain(text.trimEnd()),
    })
    .addHelpText(
      'after',
      `
Examples:
  audit-trace-exporter demo            a first look at simulated builds
  audit-trace-exporter watch /builds   metrics at http://127.0.0.1:9464/metrics
  audit-trace-exporter watch --help    every flag of watch
Flags with (env: AUDIT_...) can be set by that variable, in every command that
has the flag; a flag takes precedence.
From a clone: npm start -- watch /builds`,
    )
    .exitOverride()
  const chosen = COMMANDS.find(({ declaration }) => declaration.name === argv[2])
  const { rest, values } = takeSwitchValues(chosen?.declaration.flags ?? NO_FLAGS, argv)
  for (const { declaration, run } of COMMANDS) {
    addCommand(program, declaration, async (flags) => {
      const { own, common } = separate({ ...flags, ...values })
      log = await deps.openLog(parseFlags(logFlags, common, deps.env))
      warnOfVariables(log, deps.env ?? {})
      exitCode = await run(own, { ...deps, log })
    })
  }
  try {
    await program.parseAsync(rest)
    return exitCode
  } catch (error) {
    return exitCodeOf(error, deps.complain, log)
  }
}

/** Separates the flags of one command from those of every command. */
function separate(flags: Record<string, unknown>): Record<'own' | 'common', Record<string, unknown>> {
  const isCommon = ([key]: readonly [string, unknown]): boolean => key in logFlags.shape
  const entries = Object.entries(flags)
  return {
    own: Object.fromEntries(entries.filter((each) => !isCommon(each))),
    common: Object.fromEntries(entries.filter(isCommon)),
  }
}

function warnOfVariables(log: Logger, env: NodeJS.ProcessEnv): void {
  const schemas = [logFlags, ...COMMANDS.map(({ declaration }) => declaration.flags)]
  for (const sentence of unknownVariables(Object.keys(env), schemas.flatMap(variablesOf)))
    log.warn({ event: 'unknown_variable' }, sentence)
}

function exitCodeOf(error: unknown, complain: (line: string) => void, log: Logger | undefined): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
  if (error instanceof UsageError) {
    complain(`error: ${error.message}`)
    complain('Run with --help for usage.')
    return EXIT.usage
  }
  const message = error instanceof Error ? error.message : String(error)
  if (log === undefined) complain(`error: ${message}`)
  else log.fatal({ event: 'failed', cause: String(error) }, message)
  return EXIT.failed
}

function addCommand(
  program: Command,
  { name, summary, description, flags: schema, notes }: Declaration,
  run: (flags: Record<string, unknown>) => Promise<void>,
): void {
  const command = program
    .command(name)
    .summary(summary)
    .description(description)
    .helpOption('-h, --help', 'Print this help.')
    .addHelpText('after', notes)
  for (const argument of argumentsOf(schema)) command.addArgument(argument)
  for (const option of [...optionsOf(schema), ...optionsOf(logFlags)]) command.addOption(option)
  const keys = positionalKeys(schema)
  command.action(async () => {
    const positional = Object.fromEntries(keys.map((key, at) => [key, command.processedArgs[at] as unknown]))
    await run({ ...command.opts(), ...positional })
  })
}
