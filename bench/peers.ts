import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { runToEnd, usageOf, type Usage } from './measured.ts'
import { sumOf } from './started.ts'
import { freePort } from '../test/setup/free-port.ts'

/** Counts one file from nothing; returns what the whole process took until it had counted everything. */
export type Runner = () => Promise<Usage>

const CONFIGURATIONS = path.join(import.meta.dirname, 'peers')
const LOOK_MS = 100
/** Without this, the run is given up: the program counts something else, or nothing. */
const PATIENCE_MS = 300_000

export interface PeersOptions {
  readonly directory: string
  readonly file: string
  /** Number of entries in the file. */
  readonly lines: number
}

/**
 * The programs that count lines, of those that are there: named by FLUENT_BIT, OTELCOL or MTAIL, or on PATH. What each of
 * them counts stands in bench/peers. Says which one is missing.
 */
export function peersOf(options: PeersOptions): Record<string, Runner> {
  const collector = programOf('OTELCOL', 'otelcol', 'otelcol-contrib')
  const fluentBit = programOf('FLUENT_BIT', 'fluent-bit')
  const mtail = programOf('MTAIL', 'mtail')
  return {
    ...(fluentBit && {
      'Fluent Bit': () => runDaemon(fluentBit, ['-c', inPeers('fluent-bit.yaml')], options),
    }),
    ...(collector && {
      'OpenTelemetry Collector': () => runDaemon(collector, ['--config', inPeers('otelcol.yaml')], options),
    }),
    ...(mtail && { mtail: () => runMtail(mtail, options.file) }),
  }
}

const inPeers = (name: string): string => path.join(CONFIGURATIONS, name)

function programOf(variable: string, ...names: string[]): string | undefined {
  const named = process.env[variable]
  if (named !== undefined && named !== '') return named
  for (const directory of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const found = names.map((name) => path.join(directory, name)).find(isExecutable)
    if (found !== undefined) return found
  }
  console.log(`${names.join(', ')}: not on PATH and not named by ${variable}`)
  return undefined
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Starts a program that serves metrics, with a state of its own, and waits until it has counted every entry. */
async function runDaemon(
  program: string,
  args: readonly string[],
  { directory, file, lines }: PeersOptions,
): Promise<Usage> {
  const state = path.join(directory, 'peer-state')
  rmSync(state, { recursive: true, force: true })
  mkdirSync(state)
  const port = await freePort()
  const env = { ...process.env, TRACE: file, STATE: state, PORT: String(port) }
  const child = spawn(program, args, { stdio: 'ignore', env })
  const exited = once(child, 'exit')
  try {
    const until = performance.now() + PATIENCE_MS
    for (let counted = 0; performance.now() < until; await wait(LOOK_MS)) {
      if (child.exitCode !== null) throw new Error(`${program} exited with code ${child.exitCode}`)
      counted = sumOf(await metricsAt(port), 'peer_trace_entries(?:_total)?')
      if (counted > lines) throw new Error(`${program} counted ${counted} of ${lines} entries`)
      if (counted === lines) return usageOf(child)
    }
    throw new Error(`${program} did not count ${lines} entries in time`)
  } finally {
    child.kill('SIGKILL')
    await exited
  }
}

/** `''` as long as nobody listens. */
async function metricsAt(port: number): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  } catch {
    return ''
  }
}

/** mtail reads the file once and counts entries, tokens and a histogram by step, with regular expressions. */
const runMtail = (program: string, file: string): Promise<Usage> =>
  runToEnd(program, [
    '--one_shot',
    '--one_shot_format=prometheus',
    '--logtostderr',
    '--progs',
    CONFIGURATIONS,
    '--logs',
    file,
  ])
