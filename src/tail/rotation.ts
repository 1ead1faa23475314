import { inGroups } from './in-groups.ts'

/** How much a look takes in: everything, or as much as there is time for, in turn. */
export type Extent = 'all' | 'due'

/** Things to look at in turn, the one that was looked at longest ago first. */
export interface Rotation<T extends Turn> {
  get(path: string): T | undefined
  /** It was looked at: its next turn comes after all others of its kind. */
  put(path: string, item: T, isBrisk: boolean): void
  delete(path: string): void
  /**
   * A look begins. The ones whose turn it is, in groups; each has to be put back or deleted before the next group. Half
   * of the turns are kept for those that are not brisk.
   */
  turns(extent: Extent, groupSize: number): Generator<[string, T][]>
  /** Those of the paths that this look has not come to. */
  rest(paths: Iterable<string>, groupSize: number): Generator<[string, T][]>
  /** When the oldest look began that anything here was put back in, by the wall clock as it is now; `Infinity` if nothing is here. */
  oldestMs(): number
}

export interface Turn {
  /** The number of the look in which it was put here. Written by the rotation. */
  lookedIn: number
}

interface Clocks {
  /** Wall clock. */
  readonly now: () => number
  readonly monotonicMs: () => number
}

/** `turnsALook`: so many are looked at when not everything is. */
export function createRotation<T extends Turn>(
  { now, monotonicMs }: Clocks,
  turnsALook: number,
): Rotation<T> {
  const brisk = new Map<string, T>()
  const calm = new Map<string, T>()
  /** When looks began, of those that something was put back in. */
  const begun = new Map<number, { readonly wallMs: number; readonly monotonicMs: number }>()
  let look = 0

  /** The number of the oldest look. */
  function oldest(): number | undefined {
    const first = [brisk, calm].flatMap((queue) => {
      const [item] = queue.values()
      return item === undefined ? [] : [item.lookedIn]
    })
    return first.length === 0 ? undefined : Math.min(...first)
  }

  function begin(): void {
    const before = oldest() ?? look
    for (const number of begun.keys()) if (number < before) begun.delete(number)
    begun.set(++look, { wallMs: now(), monotonicMs: monotonicMs() })
  }

  function turnsOf(extent: Extent): { brisk: number; calm: number } {
    if (extent === 'all') return { brisk: brisk.size, calm: calm.size }
    const keptForCalm = Math.min(calm.size, Math.floor(turnsALook / 2))
    const ofBrisk = Math.min(brisk.size, turnsALook - keptForCalm)
    return { brisk: ofBrisk, calm: Math.min(calm.size, turnsALook - ofBrisk) }
  }

  return {
    get: (path) => brisk.get(path) ?? calm.get(path),
    put(path, item, isBrisk) {
      item.lookedIn = look
      brisk.delete(path)
      calm.delete(path)
      ;(isBrisk ? brisk : calm).set(path, item)
    },
    delete(path) {
      brisk.delete(path)
      calm.delete(path)
    },
    *turns(extent, groupSize) {
      begin()
      const turns = turnsOf(extent)
      // One iterator for all groups: each new one would pass everything that was taken before.
      yield* inGroups(brisk, groupSize, turns.brisk)
      yield* inGroups(calm, groupSize, turns.calm)
    },
    *rest(paths, groupSize) {
      const left = new Map<string, T>()
      for (const path of paths) {
        const item = brisk.get(path) ?? calm.get(path)
        if (item !== undefined && item.lookedIn !== look) left.set(path, item)
      }
      yield* inGroups(left, groupSize)
    },
    oldestMs() {
      const began = begun.get(oldest() ?? 0)
      if (began === undefined) return Number.POSITIVE_INFINITY
      // The wall clock may have been set since: the earlier of both answers is right.
      return Math.min(began.wallMs, now() - (monotonicMs() - began.monotonicMs))
    },
  }
}
