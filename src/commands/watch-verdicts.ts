import { compareBuilds, type BuildComparisons } from '../audits/build-comparisons.ts'
import { drawOfBoth, type DrawSize } from '../audits/draw.ts'
import { sideOf, usedMost } from '../audits/report-verdicts.ts'
import { verdictsOf, type Change, type Compared, type Side } from '../audits/verdicts.ts'
import type { Engine } from '../engine.ts'
import type { RecentBuild } from '../recent/recent-build.ts'
import type { Verdict } from '../render/verdicts.ts'
import type { AuditsView } from '../serve/status.ts'

type Builds = readonly RecentBuild[]
type Sources = Pick<Engine, 'recent' | 'contexts'>

/** The verdicts over the builds that started last. The figures of the fixes are those of all entries. */
export function liveVerdicts({ recent, contexts }: Sources, audits: AuditsView, tokens: number): Verdict[] {
  const builds = recent.list()
  const comparisons = compareBuilds(builds)
  const evidence = {
    changes: changesOf(builds, revisionsOf(contexts, builds), comparisons),
    prompts: promptsOf(builds, comparisons),
    fixes: audits.fixes,
    tokens,
  }
  comparisons.correct()
  return verdictsOf(evidence)
}

interface Revision {
  readonly hash: string
  readonly name: string
}

/**
 * The revisions of the closed builds in order of first use, without those that only other projects than that of the
 * latest build have used: the GEMINI.md of another project is not what came before this one.
 */
function revisionsOf(contexts: Engine['contexts'], builds: Builds): Revision[] {
  const known = contexts.shown()
  const current = known.find(({ hash }) => hash === builds[0]?.context)
  const used = new Set(builds.flatMap(({ outcome, context }) => (outcome === undefined ? [] : [context])))
  return known
    .filter(({ hash, projects }) => {
      const isRelated =
        current === undefined || projects.some((project) => current.projects.includes(project))
      return used.has(hash) && isRelated
    })
    .toSorted((a, b) => a.firstSeenMs - b.firstSeenMs || (a.hash < b.hash ? -1 : 1))
    .map(({ hash, version }) => ({ hash, name: `v${version}` }))
}

const isSuccess = ({ outcome }: RecentBuild): number => Number(outcome === 'first_pass')
/** An abandoned build has no verdict. */
const isJudged = ({ outcome }: RecentBuild): boolean => outcome !== undefined && outcome !== 'abandoned'
const passed = (build: RecentBuild): number | undefined => (isJudged(build) ? isSuccess(build) : undefined)

function changesOf(
  builds: Builds,
  revisions: readonly Revision[],
  comparisons: BuildComparisons<RecentBuild>,
): Change[] {
  const groupOf = ({ context }: RecentBuild): string | undefined => context
  const tokens = comparisons.means(groupOf, (build) => build.tokens)
  const rates = comparisons.shares(groupOf, passed)
  const closed = Map.groupBy(
    builds.filter(({ outcome }) => outcome !== undefined),
    groupOf,
  )
  const tokensOf = ({ hash, name }: Revision): Side => {
    const own = closed.get(hash) ?? []
    return sideOf(
      name,
      sum(own, (build) => build.tokens),
      own.length,
    )
  }
  const rateOf = ({ hash, name }: Revision): Side => rateSide(name, closed.get(hash) ?? [])
  return revisions.slice(1).map((after, i) => {
    const before = revisions[i] as Revision
    const groups = { first: before.hash, second: after.hash }
    return {
      isSideBySide: areSideBySide(builds, before, after),
      tokens: { before: tokensOf(before), after: tokensOf(after), comparison: tokens(groups) },
      firstPass: { before: rateOf(before), after: rateOf(after), comparison: rates(groups) },
    }
  })
}

/**
 * The two implement prompts with which most builds were judged; builds with several prompts do not count. As in the
 * report, the builds of one draw are compared if enough of them were assigned either prompt.
 */
function promptsOf(builds: Builds, comparisons: BuildComparisons<RecentBuild>): Compared | undefined {
  const promptOf = ({ implementPrompt }: RecentBuild): string | undefined => implementPrompt ?? undefined
  const byPrompt = Map.groupBy(
    builds.filter((build) => isJudged(build) && promptOf(build) !== undefined),
    (build) => promptOf(build) as string,
  )
  const [most, next] = [...byPrompt].toSorted(
    ([one, a], [other, b]) => b.length - a.length || (one < other ? -1 : 1),
  )
  if (most === undefined || next === undefined) return undefined
  const pair = { first: next[0], second: most[0] }
  const draw = drawOfBoth(drawsOf(builds), pair)
  const isAmong = ({ implementDraw }: RecentBuild): boolean => draw === undefined || implementDraw === draw
  const compare = comparisons.shares((build) => (isAmong(build) ? promptOf(build) : undefined), passed)
  const comparison = compare(pair)
  const compared = (of: Builds): Builds => (comparison === null ? of : of.filter(isAmong))
  return {
    before: rateSide(next[0], compared(next[1])),
    after: rateSide(usedMost(most[0]), compared(most[1])),
    comparison,
    isAssigned: comparison !== null && draw !== undefined,
  }
}

/** How many closed builds each draw assigned a prompt. */
function drawsOf(builds: Builds): DrawSize[] {
  const assigned = builds.flatMap(({ outcome, implementDraw: draw, implementPrompt: version }) =>
    outcome === undefined || !draw || !version ? [] : [{ draw, version }],
  )
  const byDraw = Map.groupBy(assigned, ({ draw }) => draw)
  return [...byDraw].flatMap(([draw, own]) =>
    [...Map.groupBy(own, ({ version }) => version)].map(([version, { length: n }]) => ({ draw, version, n })),
  )
}

function rateSide(name: string, builds: Builds): Side {
  const judged = builds.filter(isJudged)
  return sideOf(name, sum(judged, isSuccess), judged.length)
}

const sum = (builds: Builds, of: (build: RecentBuild) => number): number =>
  builds.reduce((all, build) => all + of(build), 0)

/** As `constraint-effectiveness.ts` decides it for the report. */
const SIDE_BY_SIDE = 0.1

/** Whether more than a tenth of the builds of each revision started while the other was in use. */
function areSideBySide(builds: Builds, a: Revision, b: Revision): boolean {
  const startsOf = ({ hash }: Revision): number[] =>
    builds.flatMap(({ firstContext, firstEntryMs }) => (firstContext === hash ? [firstEntryMs] : []))
  const [first, second] = [startsOf(a), startsOf(b)]
  return isAmid(first, second) && isAmid(second, first)
}

function isAmid(starts: readonly number[], others: readonly number[]): boolean {
  const [from, to] = [Math.min(...others), Math.max(...others)]
  const amid = starts.filter((start) => start >= from && start <= to).length
  return starts.length > 0 && amid / starts.length > SIDE_BY_SIDE
}
