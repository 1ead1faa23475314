import type { AttributedEntry, BuildHandle, ClosedBuild } from '../attribute/build.ts'
import type { LinePlace } from '../events.ts'
import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { addEntry, factsOf, newFacts, recentBuild, startOf, type Facts } from './facts.ts'
import type { RecentBuild } from './recent-build.ts'
import { deleteRecent, readRecent, writeRecent } from './recent-rows.ts'

/** How many builds are kept: those that started last. */
export const RECENT_BUILDS = 1_000
/** Forgetting looks at all of them, so it waits until there are twice as many. */
const SLACK = 1_000

/** The builds that started last, for the page: what no metric can say, because a run is never a label. */
export interface RecentBuilds extends Durable {
  entry(attributed: AttributedEntry, place: LinePlace): void
  closed(build: ClosedBuild): void
  /** As of the last commit, the latest start first; at most `RECENT_BUILDS`. */
  list(): RecentBuild[]
  find(runId: string): RecentBuild | undefined
}

/** One build that is kept. Catching up, each build is kept for a while, so those that are forgotten are used again. */
interface Kept {
  readonly facts: Facts
  /** The build that points to it, which saves a search for each entry. */
  build: BuildHandle | undefined
  /** What is on disk, if it has changed since. */
  before: RecentBuild | undefined
  onDisk: boolean
  dirty: boolean
}

const asCommitted = ({ facts, before }: Kept): RecentBuild => before ?? recentBuild(facts)

/**
 * Continues from the state. Only a build whose first entry is read here is kept, so its sums are complete: one that was
 * forgotten, or that began under an earlier version of the state, does not come back with a part of its tokens.
 */
export function createRecentBuilds(state: Reader): RecentBuilds {
  let all: Kept[] = readRecent(state).map((build) => ({ ...newKept(factsOf(build)), onDisk: true }))
  /** Those that are on disk, also if they are forgotten. */
  const onDisk = new Map<string, Kept>(all.map((kept) => [kept.facts.runId, kept]))
  /** Forgotten, but still on disk. */
  const dropped = new Set<Kept>()
  const spare: Kept[] = []

  function begin({ build, runId, entry }: AttributedEntry, place: LinePlace): Kept {
    const facts = newFacts(runId, startOf(entry), place)
    const used = spare.pop()
    if (used !== undefined) Object.assign(used.facts, facts)
    const kept = used ?? newKept(facts)
    kept.dirty = true
    all.push(kept)
    return tie(kept, build)
  }

  /** What is kept of a build: for one that came back from disk, it has to be searched for. */
  function keptOf(build: BuildHandle, runId: string): Kept | undefined {
    if (build.recent !== undefined) return build.recent as Kept
    const kept = onDisk.get(runId)
    return kept === undefined || dropped.has(kept) ? undefined : tie(kept, build)
  }

  function touch(kept: Kept): void {
    if (kept.dirty) return
    kept.dirty = true
    if (kept.onDisk) kept.before = recentBuild(kept.facts)
  }

  function forget(): void {
    if (all.length <= RECENT_BUILDS + SLACK) return
    const [latest, others] = split(all, RECENT_BUILDS)
    all = latest
    for (const kept of others) {
      if (kept.build?.recent === kept) kept.build.recent = undefined
      kept.build = undefined
      if (kept.onDisk) dropped.add(kept)
      else spare.push(kept)
    }
  }

  return {
    entry(attributed, place) {
      const { build, runId, isFirst, closed } = attributed
      const kept = isFirst ? begin(attributed, place) : keptOf(build, runId)
      if (kept === undefined) return
      touch(kept)
      addEntry(kept.facts, attributed, place)
      if (closed !== undefined) kept.facts.outcome = closed.outcome
      if (isFirst) forget()
    },
    closed({ build, runId, outcome }) {
      const kept = keptOf(build, runId)
      if (kept === undefined) return
      touch(kept)
      kept.facts.outcome = outcome
    },
    list: () => [...onDisk.values()].map(asCommitted).sort(inOrder).slice(0, RECENT_BUILDS),
    find(runId) {
      const kept = onDisk.get(runId)
      return kept && asCommitted(kept)
    },
    write(transaction: Transaction) {
      for (const { facts } of dropped) deleteRecent(transaction, facts.runId)
      for (const { facts, dirty } of all) if (dirty) writeRecent(transaction, recentBuild(facts))
    },
    committed() {
      for (const kept of dropped) {
        onDisk.delete(kept.facts.runId)
        spare.push(Object.assign(kept, { onDisk: false, dirty: false, before: undefined }))
      }
      dropped.clear()
      for (const kept of all) {
        if (!kept.dirty) continue
        kept.dirty = false
        kept.before = undefined
        if (!kept.onDisk) onDisk.set(kept.facts.runId, kept)
        kept.onDisk = true
      }
    },
  }
}

function tie(kept: Kept, build: BuildHandle): Kept {
  kept.build = build
  build.recent = kept
  return kept
}

const inOrder = (a: Started, b: Started): number => b.startedMs - a.startedMs || (a.runId < b.runId ? -1 : 1)

type Started = Pick<RecentBuild, 'runId' | 'startedMs'>

/** The `n` that started last, and the others, both in any order: sorting the times alone takes a fraction of the time. */
function split(all: readonly Kept[], n: number): [latest: Kept[], others: Kept[]] {
  const lastMs = Float64Array.from(all, ({ facts }) => facts.startedMs)
    .sort()
    .at(-n)
  if (lastMs === undefined) return [[...all], []]
  const [latest, atOnce, others]: [Kept[], Kept[], Kept[]] = [[], [], []]
  for (const kept of all) {
    const { startedMs } = kept.facts
    if (startedMs > lastMs) latest.push(kept)
    else if (startedMs === lastMs) atOnce.push(kept)
    else others.push(kept)
  }
  atOnce.sort((a, b) => inOrder(a.facts, b.facts))
  const room = n - latest.length
  return [latest.concat(atOnce.slice(0, room)), others.concat(atOnce.slice(room))]
}

const newKept = (facts: Facts): Kept => ({
  facts,
  build: undefined,
  before: undefined,
  onDisk: false,
  dirty: false,
})
