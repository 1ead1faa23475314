import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { thawHead } from './file-rows.ts'
import type { Head } from './tracked-file.ts'

/**
 * Heads of content that is gone: truncated, or forgotten with its file. A copy that was made of it must not
 * count again. Kept in the state.
 */
export interface PastHeads extends Durable {
  add(head: Head): void
  withFirstLine(firstLine: string): readonly Head[]
}

/** The oldest are dropped beyond this: copies are unknown only until the next complete look, so the latest matter. */
const MAX_HEADS = 10_000

export function createPastHeads(state: Reader): PastHeads {
  /** By their numbers, the oldest first. */
  const heads = new Map<number, Head>()
  const dirty = new Set<number>()
  const dropped = new Set<number>()
  let next = 1
  for (const row of state.all('SELECT * FROM past_heads ORDER BY number')) {
    const number = Number(row['number'])
    heads.set(number, thawHead(row))
    next = number + 1
  }
  return {
    add(head) {
      if (head.firstLine === '') return
      dirty.add(next)
      heads.set(next++, head)
      if (heads.size <= MAX_HEADS) return
      const [oldest = 0] = heads.keys()
      heads.delete(oldest)
      dropped.add(oldest)
    },
    withFirstLine: (firstLine) => [...heads.values()].filter((head) => head.firstLine === firstLine),
    write(transaction: Transaction) {
      for (const number of dropped) transaction.run('DELETE FROM past_heads WHERE number = ?', number)
      for (const number of dirty) {
        const head = heads.get(number)
        if (head === undefined) continue
        transaction.run(
          'INSERT OR REPLACE INTO past_heads (number, first_line, prefix_bytes, prefix) VALUES (?, ?, ?, ?)',
          number,
          head.firstLine,
          head.prefixBytes,
          head.prefix,
        )
      }
    },
    committed() {
      dirty.clear()
      dropped.clear()
    },
  }
}
