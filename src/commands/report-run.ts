import path from 'node:path'
import { loadDatabase, type Database, type OpenDatabase } from '../audits/database.ts'
import { fitsInMemory, mayFitInMemory, memoryBudget, requireMemory } from '../audits/memory.ts'
import type { Clock } from '../clock.ts'
import { readPriceList } from '../config/prices.ts'
import type { PriceList } from '../entry/prices.ts'
import { createSupplement, type Supplement } from '../entry/supplement.ts'
import { createProgress, type Progress } from '../history/progress.ts'
import { createScratch, type Scratch } from '../history/scratch.ts'
import { describeUnpriced } from '../log.ts'
import { makeDirectorySync } from '../make-directory.ts'
import type { UpdateStep } from '../rows/update.ts'
import type { ReportOptions } from './report-flags.ts'

export interface ReportDeps {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly print: (text: string) => void
  readonly complain: (line: string) => void
  readonly rewrite?: ((line: string) => void) | undefined
  /** Called at each step of writing rows. */
  readonly reached?: ((step: UpdateStep) => void) | undefined
}

/** What one run has opened. */
export interface Run {
  readonly options: ReportOptions
  readonly deps: ReportDeps
  readonly nowMs: number
  readonly memoryBytes: number
  readonly progress: Progress
  readonly scratch: Scratch
  readonly open: OpenDatabase
  readonly priceList: PriceList | undefined
  /** Closed at the end, the latest first. */
  readonly opened: { close(): void }[]
  /** Entries of the report, as far as is known. */
  entries: number
  close(): void
}

export async function openRun(options: ReportOptions, deps: ReportDeps, nowMs: number): Promise<Run> {
  const scratch = createScratch(options.temp)
  const opened: { close(): void }[] = []
  return {
    options,
    deps,
    nowMs,
    memoryBytes: memoryBudget(options.memory),
    progress: createProgress({ ...deps, monotonicMs: () => deps.clock.monotonicMs() }),
    scratch,
    priceList: await readPriceList(options.prices),
    open: await loadDatabase(),
    opened,
    entries: 0,
    close() {
      for (const each of opened.toReversed()) each.close()
      scratch.remove()
    },
  }
}

/** A database that is closed with the run. */
export async function openDatabase(
  run: Run,
  directory: string | undefined,
  isInPlace = false,
): Promise<Database> {
  const database = await run.open({ memoryBytes: run.memoryBytes, directory, isInPlace })
  run.opened.push(database)
  return database
}

/** The directory for the rows of so many entries; `undefined` if memory holds them. */
export function storageFor({ memoryBytes, scratch }: Run, name: string, entries: number): string | undefined {
  if (fitsInMemory(entries, memoryBytes)) return undefined
  requireMemory(entries)
  try {
    const directory = path.join(scratch.directory(), name)
    makeDirectorySync(directory)
    return directory
  } catch (error) {
    if (mayFitInMemory(entries, memoryBytes)) return undefined
    throw error
  }
}

/** What paths and prices add to entries, as the options say. */
export const supplementOf = ({ options, priceList, deps }: Run): Supplement =>
  createSupplement({ ...options, priceList }, (model, reason) =>
    deps.complain(describeUnpriced(model, reason)),
  )
