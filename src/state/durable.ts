/** One value of a SQLite row. */
export type SqlValue = string | number | bigint | null | Uint8Array

/** Writes rows inside the one open transaction. */
export interface Transaction {
  run(sql: string, ...values: SqlValue[]): void
}

/**
 * A part of the state: it holds working values in memory and writes what changed since the last commit.
 * `write` must be repeatable: a failed commit is tried again with the same changes and later ones.
 */
export interface Durable {
  write(transaction: Transaction): void
  /** The transaction that `write` took part in is on disk. */
  committed(): void
}

/** Reads rows once, at start, and single ones later. */
export interface Reader {
  all(sql: string, ...values: SqlValue[]): Record<string, SqlValue>[]
}
