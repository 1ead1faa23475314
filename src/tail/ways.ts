import nodePath from 'node:path'

/** How a walk from the roots comes to what it has to visit, through directories that are settled. */
export interface Ways {
  /** A look begins. */
  begin(): void
  /** The directory has to be visited in each look. */
  noteUnsettled(directory: string): void
  noteSettled(directory: string): void
  /** The directory is no longer settled: what is in it is found by listing it. */
  listAgain(directory: string): void
  /** The directory has to be visited in this look. */
  leadTo(directory: string): void
  /** Settled directories that a walk passes through. */
  passed(): Iterable<string>
  /** What is to be visited in a settled directory. */
  from(directory: string): ReadonlySet<string>
}

const NONE: ReadonlySet<string> = new Set()

/** `isSettled`: a directory needs no listing. */
export function createWays(isSettled: (directory: string) => boolean): Ways {
  /** By settled directory, the ones in it that are not settled. */
  const unsettled = new Map<string, Set<string>>()
  /** By settled directory, those in it that this look has to come to. */
  const through = new Map<string, Set<string>>()

  function insert(sets: Map<string, Set<string>>, directory: string): void {
    const parent = nodePath.dirname(directory)
    const others = sets.get(parent)
    if (others !== undefined) others.add(directory)
    else if (isSettled(parent)) sets.set(parent, new Set([directory]))
  }

  function leadTo(directory: string): void {
    const parent = nodePath.dirname(directory)
    if (!isSettled(parent) || through.get(parent)?.has(directory) === true) return
    insert(through, directory)
    leadTo(parent)
  }

  return {
    begin: () => through.clear(),
    noteUnsettled: (directory) => insert(unsettled, directory),
    noteSettled(directory) {
      const parent = nodePath.dirname(directory)
      const others = unsettled.get(parent)
      others?.delete(directory)
      if (others?.size === 0) unsettled.delete(parent)
    },
    listAgain: (directory) => void unsettled.delete(directory),
    leadTo,
    passed() {
      for (const directory of unsettled.keys()) leadTo(directory)
      return [...unsettled.keys(), ...through.keys()]
    },
    from(directory) {
      const some = unsettled.get(directory)
      const others = through.get(directory)
      return some === undefined ? (others ?? NONE) : new Set([...some, ...(others ?? [])])
    },
  }
}
