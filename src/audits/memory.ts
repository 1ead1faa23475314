import os from 'node:os'

const MIB = 1024 * 1024

/** What `report` stays below unless it is told otherwise. */
const DEFAULT_MEMORY = 1024 * MIB

/** Measured: what a report needs without entries, and for each entry that is held in memory (docs/report.md). */
const BASE_BYTES = 145 * MIB
const ENTRY_BYTES = 1_200

/** The memory that the container may use, in bytes; undefined without a limit below the machine's memory. */
function containerLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < os.totalmem() ? limit : undefined
}

/** The memory that the command may use, in bytes: what was asked for, at most what the container may use. */
export const memoryBudget = (
  askedBytes: number = DEFAULT_MEMORY,
  limitBytes: number | undefined = containerLimit(),
): number => Math.min(askedBytes, limitBytes ?? askedBytes)

/** The bytes of a budget that DuckDB may use. The rest is for Node, its heap and what DuckDB does not count. */
export const databaseShare = (budgetBytes: number): number =>
  Math.max(32 * MIB, Math.floor(0.45 * budgetBytes - 10 * MIB))

/** The same while builds are summed up: what DuckDB allocates beside its limit is then most. */
export const summingShare = (budgetBytes: number): number => {
  const share = databaseShare(budgetBytes)
  return Math.min(share, Math.max(64 * MIB, Math.floor((2 / 3) * share)))
}

/** Each thread of DuckDB needs memory of its own. */
export const databaseThreads = (budgetBytes: number, cores: number = os.availableParallelism()): number =>
  Math.max(1, Math.min(cores, Math.floor(databaseShare(budgetBytes) / (200 * MIB))))

/** Measured: what the grouping of entries by build takes for each entry. DuckDB cannot move all of it to the disk. */
const GROUPED_BYTES = 220

/** In how many parts builds have to be summed up, so that each takes about a fifth of DuckDB's memory. */
export const sumParts = (entries: number, budgetBytes: number): number =>
  Math.max(1, Math.round((5 * entries * GROUPED_BYTES) / databaseShare(budgetBytes)))

/** Whether a report on so many entries certainly fits into memory, and needs no temporary files. */
export const fitsInMemory = (entries: number, budgetBytes: number): boolean =>
  neededBytes(entries) <= 0.75 * budgetBytes

/** Whether it may fit: what is measured varies. */
export const mayFitInMemory = (entries: number, budgetBytes: number): boolean =>
  0.9 * neededBytes(entries) <= budgetBytes

/** What a report needs at most if its rows are in temporary files. */
const SPILLED_BYTES = 256 * MIB

/**
 * Throws an error that says how much memory is needed if the container's limit is too low even with temporary files:
 * the kernel would end the process without a word.
 */
export function requireMemory(entries: number, limitBytes: number | undefined = containerLimit()): void {
  if (limitBytes === undefined || limitBytes >= SPILLED_BYTES || mayFitInMemory(entries, limitBytes)) return
  const needed = Math.min(neededBytes(entries), SPILLED_BYTES)
  throw new Error(
    `report: ${entries.toLocaleString('en')} entries need about ${mebibytes(needed)} MiB of memory, and this process may use ` +
      `${mebibytes(limitBytes)} MiB. Raise the container's memory limit, or report on fewer paths.`,
  )
}

/** Whether DuckDB lacked memory. */
export const isMemoryError = (error: unknown): boolean => /Out of Memory Error/u.test(String(error))

/** An error of DuckDB for want of memory as one that says what to do; other errors as they are. */
export function explainMemory(error: unknown, entries: number, budgetBytes: number): unknown {
  if (!isMemoryError(error)) return error
  return new Error(
    `report: ${mebibytes(budgetBytes)} MiB of memory are too little for ${entries.toLocaleString('en')} entries. Give it more ` +
      "with --memory or AUDIT_MEMORY, and raise the container's memory limit if there is one; or report on fewer paths.",
    { cause: error },
  )
}

const neededBytes = (entries: number): number => BASE_BYTES + entries * ENTRY_BYTES

const mebibytes = (bytes: number): number => Math.ceil(bytes / MIB)
