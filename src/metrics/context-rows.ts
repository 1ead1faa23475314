import type { Reader, Transaction } from '../state/durable.ts'
import type { Context } from './context.ts'

/** All revisions in the state. */
export function readContexts(state: Reader): Context[] {
  return state
    .all('SELECT hash, full_hash, version, first_seen_ms, last_used_ms, hidden, projects FROM contexts')
    .map((row) => ({
      hash: String(row['hash']),
      fullHash: String(row['full_hash']),
      version: row['version'] === null ? undefined : Number(row['version']),
      firstSeenMs: Number(row['first_seen_ms']),
      lastUsedMs: Number(row['last_used_ms']),
      hidden: row['hidden'] === 1,
      projects: JSON.parse(String(row['projects'])) as string[],
    }))
}

export function writeContext(transaction: Transaction, context: Context): void {
  transaction.run(
    `INSERT INTO contexts (hash, full_hash, version, first_seen_ms, last_used_ms, hidden, projects) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO UPDATE SET version = excluded.version, first_seen_ms = excluded.first_seen_ms,
       last_used_ms = excluded.last_used_ms, hidden = excluded.hidden,
       projects = excluded.projects`,
    context.hash,
    context.fullHash,
    context.version ?? null,
    context.firstSeenMs,
    context.lastUsedMs,
    context.hidden ? 1 : 0,
    JSON.stringify(context.projects),
  )
}
