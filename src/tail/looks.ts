import type { Durable, Reader, Transaction } from '../state/durable.ts'

/** When the directories below each root were last looked at completely, by the wall clock. Kept in the state. */
export interface Looks extends Durable {
  /** When the last complete look began; `undefined` before the first one has ended. */
  lastComplete(root: string): number | undefined
  noteComplete(root: string, beganMs: number): void
}

export function createLooks(state: Reader): Looks {
  const looks = new Map<string, number>()
  const dirty = new Set<string>()
  for (const row of state.all('SELECT root, began_ms FROM looks'))
    looks.set(String(row['root']), Number(row['began_ms']))
  return {
    lastComplete: (root) => looks.get(root),
    noteComplete(root, beganMs) {
      looks.set(root, beganMs)
      dirty.add(root)
    },
    write(transaction: Transaction) {
      for (const root of dirty)
        transaction.run(
          'INSERT OR REPLACE INTO looks (root, began_ms) VALUES (?, ?)',
          root,
          looks.get(root) ?? null,
        )
    },
    committed: () => dirty.clear(),
  }
}
