import fs from 'node:fs'
import path from 'node:path'
import { createBlocks, requirePromtool } from '../backfill/blocks.ts'
import { readManifest, writeManifest, type Manifest } from '../backfill/manifest.ts'
import { writeOpenMetrics } from '../backfill/open-metrics.ts'
import { replay, type Replayed } from '../backfill/replay.ts'
import { nextManifest, spanOf } from '../backfill/span.ts'
import { summarise } from '../backfill/summary.ts'
import type { Clock } from '../clock.ts'
import { readPriceList } from '../config/prices.ts'
import { UsageError } from '../config/usage-error.ts'
import { requireWritableDirectory } from '../config/writable.ts'
import { createProgress } from '../history/progress.ts'
import { createScratch, explainSpace } from '../history/scratch.ts'
import { createLogEvents, type Logger } from '../log.ts'
import { openStore } from '../state/store.ts'
import type { BackfillOptions } from './backfill-flags.ts'

export interface BackfillDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  readonly rewrite?: ((line: string) => void) | undefined
}

/**
 * Writes the history as OpenMetrics files, one per day. With `prometheusData` it imports them there as blocks; with
 * `state` it writes the totals from which `watch` continues. Returns whether everything could be read and imported.
 * What can be checked in advance fails before the replay.
 */
export async function backfill(options: BackfillOptions, deps: BackfillDeps): Promise<boolean> {
  const { clock, complain } = deps
  const nowMs = clock.wallMs()
  const startedMs = clock.monotonicMs()
  const before = readManifest(options.out)
  const span = spanOf(options, before, nowMs)
  const priceList = await readPriceList(options.prices)
  const makesState = options.state !== undefined && !stateIsOurs(options.state, before)
  requireWritableDirectory('--out', options.out)
  if (options.prometheusData !== undefined) {
    requireWritableDirectory('--prometheus-data', options.prometheusData)
    await requirePromtool(options.promtool)
  }
  const scratch = createScratch(options.temp)
  const work = makeWorkplace(options.temp, makesState ? options.state : undefined)
  const progress = createProgress({ ...deps, monotonicMs: () => clock.monotonicMs() })
  const manifest = nextManifest(options, before, span)
  const written: string[] = []
  let faults = 0
  let samples = 0
  const fault = (line: string): void => {
    faults++
    complain(line)
  }
  try {
    const store = openStore(work.directory)
    const events = createLogEvents(deps.log, () => undefined, clock)
    let replayed: Replayed
    try {
      replayed = await replay(
        {
          ...options,
          priceList,
          stepMs: options.step,
          ...span,
          targetLabels: [
            ['instance', options.instance],
            ['job', options.job],
          ],
        },
        {
          store,
          progress,
          scratch,
          nowMs,
          events,
          stopped: () => deps.signal.aborted,
          onFault: (where, cause) => fault(`${where}: ${cause}`),
          onDay(day) {
            const name = new Date(day.firstTickMs).toISOString().slice(0, 10)
            const made = writeOpenMetrics(fileOf(options.out, name), day)
            samples += made.samples
            written.push(name)
            manifest.days[name] = { ...made, imported: before?.days[name]?.imported ?? {} }
          },
        },
      )
    } finally {
      events.close()
      store.close()
    }
    writeManifest(options.out, manifest)
    if (options.prometheusData !== undefined)
      await importDays(options, options.prometheusData, { manifest, written }, deps, progress, fault)
    if (options.state !== undefined && makesState) {
      fs.renameSync(path.join(work.directory, STATE_FILE), path.join(options.state, STATE_FILE))
      manifest.state = options.state
      writeManifest(options.out, manifest)
    }
    progress.end()
    const seconds = (clock.monotonicMs() - startedMs) / 1000
    deps.print(summarise(options, { replayed, written, samples, seconds, span, makesState }))
    return faults === 0
  } catch (error) {
    throw explainSpace(error, options.temp)
  } finally {
    scratch.remove()
    work.remove()
  }
}

const STATE_FILE = 'state.sqlite'

const fileOf = (out: string, day: string): string => path.join(out, `audit-${day}.om`)

/** Whether an earlier run wrote the state. Throws a `UsageError` if anything else did. */
function stateIsOurs(state: string, before: Manifest | undefined): boolean {
  if (!fs.existsSync(path.join(state, STATE_FILE))) return false
  if (before?.state === state) return true
  throw new UsageError(
    `--state: ${state} already holds totals, and importing into them would count twice. Use an empty directory, or ` +
      'omit --state and use --until to end the history where that state began.',
  )
}

interface Workplace {
  readonly directory: string
  /** Removes the directory. A state that was moved to its final place stays. */
  remove(): void
}

/** A directory for the state in progress, inside its final one: a move across a mount point would fail. */
function makeWorkplace(temp: string, state: string | undefined): Workplace {
  const isNew = state !== undefined && !fs.existsSync(state)
  if (state !== undefined) requireWritableDirectory('--state', state)
  const prefix = state === undefined ? path.join(temp, 'audit-') : `${state}${path.sep}.`
  const directory = fs.mkdtempSync(`${prefix}backfill-`)
  return {
    directory,
    remove() {
      fs.rmSync(directory, { recursive: true, force: true })
      if (state !== undefined && isNew && fs.readdirSync(state).length === 0) fs.rmdirSync(state)
    },
  }
}

async function importDays(
  options: BackfillOptions,
  data: string,
  { manifest, written }: { readonly manifest: Manifest; readonly written: readonly string[] },
  { signal }: BackfillDeps,
  progress: ReturnType<typeof createProgress>,
  fault: (line: string) => void,
): Promise<void> {
  for (const [n, day] of written.entries()) {
    const { sha256, imported } = manifest.days[day] as Manifest['days'][string]
    if (signal.aborted)
      throw new Error('Stopped before all days were imported. Run the command again to continue.')
    progress.update('importing', n, written.length, 'days')
    const file = fileOf(options.out, day)
    if (imported[data] !== undefined && imported[data] !== sha256) {
      fault(
        `${file}: not imported: ${data} already has this day with other values, and two values for one moment are worse than ` +
          'old ones. Remove the blocks of that day there (promtool tsdb list) and its entry in backfill.json, then run again.',
      )
      continue
    }
    if (imported[data] === undefined) {
      await createBlocks(options.promtool, file, data)
      imported[data] = sha256
      writeManifest(options.out, manifest)
    }
    if (!options.keep) fs.rmSync(file, { force: true })
  }
}
