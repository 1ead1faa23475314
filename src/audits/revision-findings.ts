import type { Audits, Found } from './audits.ts'
import { isFound } from './comparison.ts'
import { evidenceOf, type Unit } from './evidence.ts'
import { ruleFor } from './rules.ts'
import { atMost, reworkPerBuild, reworkPerFailure } from './savings.ts'
import type { Comparison } from './schema.ts'
import { named } from './words.ts'

type Change = Audits['constraint_effectiveness']['changes'][number]
type Revision = Audits['constraint_effectiveness']['revisions'][number]

/** What is compared between two revisions. The tokens of each measure include those of the measures after it. */
const MEASURES = ['tokens_per_build', 'first_pass_rate', 'first_failures'] as const

/** One tested difference between two revisions of GEMINI.md. */
interface Difference {
  readonly measure: (typeof MEASURES)[number]
  /** Set for `first_failures`. */
  readonly errorType?: string
  readonly comparison: Comparison
  readonly unit: Unit
  /** Whether the later revision fares worse. */
  readonly worse: boolean
  readonly title: string
  /** Upper bound of the saving; null where it cannot be estimated. */
  readonly tokens: number | null
  /** What to write into GEMINI.md if the finding needs action. */
  readonly rule?: string
}

/** Findings on each revision of GEMINI.md against the one before it. */
export function revisionFindings(audits: Audits): Found[] {
  const { revisions, changes } = audits.constraint_effectiveness
  return changes.flatMap((change) => {
    const revision = revisions.find(({ version }) => version === change.to)
    if (revision === undefined) return []
    const differences = [
      ...tokenDifference(change, revision),
      ...firstPassDifference(audits, change, revision),
      ...failureDifferences(audits, change),
    ]
    return differences.map((difference) => foundOf(change, revision, difference, differences))
  })
}

/**
 * The difference whose tokens include those of another one of the same pair of revisions: fewer failures of one error
 * type are some of the builds that pass at first, and both are some of the tokens per build. Undefined if there is
 * none in the same direction.
 */
function containerOf(difference: Difference, all: readonly Difference[]): Difference | undefined {
  const rank = MEASURES.indexOf(difference.measure)
  return all.findLast(({ measure, worse }) => worse === difference.worse && MEASURES.indexOf(measure) < rank)
}

/** The tokens of a difference, at most those of the differences that include it. */
function tokensWithin(difference: Difference, all: readonly Difference[], spent: number): number | null {
  const container = containerOf(difference, all)
  const limit = container === undefined ? spent : (tokensWithin(container, all, spent) ?? spent)
  return atMost(difference.tokens, limit)
}

const idOf = (change: Change, { measure, errorType }: Difference): string =>
  ['revision', change.from, change.to, measure, ...(errorType === undefined ? [] : [errorType])].join('/')

function tokenDifference({ tokens_per_build: comparison }: Change, { builds }: Revision): Difference[] {
  if (!isFound(comparison)) return []
  const worse = comparison.difference.value > 0
  return [
    {
      measure: 'tokens_per_build',
      comparison,
      unit: 'tokens',
      worse,
      title: `builds cost ${worse ? 'more' : 'fewer'} tokens`,
      tokens: Math.abs(comparison.difference.value) * builds,
    },
  ]
}

function firstPassDifference(
  audits: Audits,
  { first_pass_rate: comparison }: Change,
  { judged }: Revision,
): Difference[] {
  if (!isFound(comparison)) return []
  const worse = comparison.difference.value < 0
  const perBuild = reworkPerBuild(audits)
  return [
    {
      measure: 'first_pass_rate',
      comparison,
      unit: 'share',
      worse,
      title: `${worse ? 'fewer' : 'more'} builds pass at first`,
      tokens: perBuild === null ? null : Math.abs(comparison.difference.value) * judged * perBuild,
    },
  ]
}

const failureDifferences = (audits: Audits, { first_failures: failures }: Change): Difference[] =>
  failures.flatMap(({ error_type: type, rate: comparison }) => {
    if (!isFound(comparison)) return []
    const worse = comparison.difference.value > 0
    const perFailure = reworkPerFailure(audits, type)
    return [
      {
        measure: 'first_failures' as const,
        errorType: type,
        comparison,
        unit: 'share' as const,
        worse,
        title: `${named(type)} fails ${worse ? 'more' : 'fewer'} first verifications`,
        tokens:
          perFailure === null ? null : Math.abs(comparison.difference.value) * comparison.n[1] * perFailure,
        rule: ruleFor(type),
      },
    ]
  })

function foundOf(
  change: Change,
  revision: Revision,
  difference: Difference,
  all: readonly Difference[],
): Found {
  const { comparison, unit, worse, title, rule } = difference
  const container = containerOf(difference, all)
  const act = worse && revision.current && !change.side_by_side
  const advice = adviceFor(worse, revision.current, change)
  const wait = Math.max(50, Math.min(...comparison.n))
  return {
    act,
    insight: {
      id: idOf(change, difference),
      kind: 'finding',
      title: change.side_by_side
        ? `GEMINI.md ${change.from} and ${change.to} side by side, under ${change.to}: ${title}`
        : `GEMINI.md ${change.from} to ${change.to}: ${title}`,
      evidence: evidenceOf(comparison, unit, {
        first: change.from,
        second: change.to,
        secondIsBetter: !worse,
      }),
      tokens: tokensWithin(difference, all, revision.tokens),
      part_of: container === undefined ? null : idOf(change, container),
      change: act && rule !== undefined ? `${rule} ${advice}` : advice,
      verify: `Compare the first-pass rate and the tokens per build of the next revision with ${change.to} in this report, after ${wait} builds.`,
    },
  }
}

function adviceFor(worse: boolean, current: boolean, change: Change): string {
  if (change.side_by_side) {
    return (
      'Nothing for this alone: the two were used side by side, perhaps for different work. Compare them as alternatives: ' +
      `if they serve the same work, use ${worse ? change.from : change.to}.`
    )
  }
  if (!worse) {
    const keep = `Keep what ${change.to} changed in GEMINI.md`
    return current ? `${keep}.` : `${keep}, as far as the current revision contains it.`
  }
  if (!current)
    return `Nothing now: the latest builds do not use ${change.to}. Do not bring back what it added.`
  return `Look at what ${change.to} added to or removed from GEMINI.md since ${change.from}, and take back the part that did harm.`
}
