/** One value of a SQLite row. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** Writes rows in the open transaction. */
export interface Transaction {
  run(sql: string, ...values: SqlValue[]): void
}

/**
 * A part of the state. It holds its working values in memory and writes what has changed since the last commit.
 * `write` must be repeatable: after a failed commit the same changes are written again, with later ones.
 */
export interface Durable {
  write(transaction: Transaction): void
  /** Called when the transaction of the last `write` is on disk. */
  committed(): void
}

/** Reads rows: all at the start, single ones later. */
export interface Reader {
  all(sql: string, ...values: SqlValue[]): Record<string, SqlValue>[]
}
