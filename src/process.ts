import { clearLine, cursorTo } from 'node:readline'
import manifest from '../package.json' with { type: 'json' }
import { systemClock } from './clock.ts'
import { EXIT } from './commands/command.ts'
import type { LogOptions } from './config/log-flags.ts'
import { createLogger, type Logger } from './log.ts'
import { processUsage } from './process-usage.ts'
import { runProgram } from './program.ts'

export interface ProcessSignals {
  /** Aborted by SIGTERM or SIGINT; its reason is the name of the signal. */
  readonly stop: AbortSignal
  /** Dispatches `rescan` on SIGHUP. */
  readonly rescan: EventTarget
}

/** Runs the command line in this process and sets its exit code. */
export async function runProcess({ stop, rescan }: ProcessSignals): Promise<void> {
  // The reader of a pipe may end first, as `head` does: nobody reads the rest.
  process.stdout.on('error', () => process.exit(EXIT.failed))
  process.exitCode = await runProgram(process.argv, {
    version: manifest.version,
    signal: stop,
    rescan,
    env: process.env,
    clock: systemClock,
    openLog,
    usage: processUsage,
    print: (line) => void process.stdout.write(`${line}\n`),
    complain: (line) => void process.stderr.write(`${line}\n`),
    ...(process.stdout.isTTY && { rewrite }),
  })
  // A call into a file system that does not respond must not keep the process alive.
  if (stop.aborted) process.exit()
}

/** Logs to standard error. */
async function openLog({ logLevel, logFormat }: LogOptions): Promise<Logger> {
  const isText = logFormat === 'text' || (logFormat === 'auto' && process.stderr.isTTY)
  // Only text needs it.
  const pretty = isText && (await import('pino-pretty')).PinoPretty
  return createLogger({ fd: process.stderr.fd, pretty, level: logLevel })
}

/** Rewrites the last line of the terminal, cut to its width. */
function rewrite(line: string): void {
  cursorTo(process.stdout, 0)
  process.stdout.write(line.slice(0, process.stdout.columns - 1))
  clearLine(process.stdout, 1)
}
