import os from 'node:os'

const MIB = 1024 * 1024

/** Measured: what a report needs without entries, and for each entry (docs/report.md). */
const BASE_BYTES = 145 * MIB
const ENTRY_BYTES = 1_200

/** The memory that the container may use, in bytes; undefined without a limit below the machine's memory. */
export function memoryLimit(): number | undefined {
  const limit = process.constrainedMemory()
  return limit > 0 && limit < os.totalmem() ? limit : undefined
}

/** The bytes of a limit that DuckDB may use. The rest is for Node, its heap and what DuckDB does not count. */
export const databaseShare = (limitBytes: number): number =>
  Math.max(32 * MIB, Math.floor(0.8 * limitBytes - 100 * MIB))

/**
 * Throws an error that says how much memory is needed if a report on so many entries cannot succeed below the limit:
 * the kernel would end the process without a word.
 */
export function requireMemory(entries: number, limitBytes: number | undefined = memoryLimit()): void {
  // What is measured varies: what may succeed is tried.
  if (limitBytes !== undefined && limitBytes < 0.9 * neededBytes(entries))
    throw notEnough(entries, limitBytes)
}

/** An error of DuckDB for want of memory as one that says how much is needed; other errors as they are. */
export function explainMemory(error: unknown, entries: number, limitBytes = memoryLimit()): unknown {
  const isMemory = limitBytes !== undefined && /Out of Memory Error/u.test(String(error))
  return isMemory ? notEnough(entries, limitBytes, error) : error
}

const neededBytes = (entries: number): number => BASE_BYTES + entries * ENTRY_BYTES

const notEnough = (entries: number, limitBytes: number, cause?: unknown): Error =>
  new Error(
    `report: ${entries.toLocaleString('en')} entries need about ${mebibytes(neededBytes(entries))} MiB of memory, and this ` +
      `process may use ${mebibytes(limitBytes)} MiB. Raise the container's memory limit, or report on fewer paths.`,
    { cause },
  )

const mebibytes = (bytes: number): number => Math.ceil(bytes / MIB)
