import type { Durable, Reader, Transaction } from '../state/durable.ts'

/**
 * Heads of content that is gone: truncated, or forgotten with its file. A copy that was made of it must not
 * count again. Kept in the state.
 */
export interface PastHeads extends Durable {
  add(head: string): void
  has(head: string): boolean
}

/** The oldest are dropped beyond this: copies are unknown only until the next complete look, so the latest matter. */
const MAX_HEADS = 10_000

export function createPastHeads(state: Reader): PastHeads {
  /** The order in which they came, the oldest first. */
  const heads = new Map<string, number>()
  const dirty = new Set<string>()
  const dropped = new Set<number>()
  let next = 1
  for (const row of state.all('SELECT number, head FROM past_heads ORDER BY number')) {
    const number = Number(row['number'])
    heads.set(String(row['head']), number)
    next = number + 1
  }
  return {
    add(head) {
      if (head === '' || heads.has(head)) return
      heads.set(head, next++)
      dirty.add(head)
      if (heads.size <= MAX_HEADS) return
      const [[oldest, number] = ['', 0]] = heads
      heads.delete(oldest)
      dropped.add(number)
    },
    has: (head) => heads.has(head),
    write(transaction: Transaction) {
      for (const number of dropped) transaction.run('DELETE FROM past_heads WHERE number = ?', number)
      for (const head of dirty) {
        const number = heads.get(head)
        if (number !== undefined)
          transaction.run('INSERT OR REPLACE INTO past_heads (number, head) VALUES (?, ?)', number, head)
      }
    },
    committed() {
      dirty.clear()
      dropped.clear()
    },
  }
}
