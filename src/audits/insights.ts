import { isFound } from './comparisons.ts'
import type { Comparison, Insight, Report } from './schema.ts'
import { ruleFor } from './rules.ts'
import { number, percent, points, signed } from './words.ts'

type Audits = Pick<Report, 'totals' | 'token_efficiency' | 'constraint_effectiveness' | 'prompt_refinement'>

export interface Insights {
  /** Findings, then costs: a tested difference is worth more than an upper bound. Each ranked by tokens. */
  readonly actions: Insight[]
  /** Differences that stand and call for no change now. */
  readonly confirmed: Insight[]
}

/** A cost worth naming is at least this share of all tokens. */
const MIN_SHARE = 0.01
const MAX_COSTS = 5
const MIN_FIXES = 20

/** What to change, from what stands up to the statistics, and from where the tokens plainly go. */
export function findInsights(audits: Audits): Insights {
  const found = [...revisionFindings(audits), ...wordingFindings(audits)]
  const ranked = (insights: readonly Insight[]): Insight[] =>
    insights.toSorted((a, b) => (b.tokens ?? 0) - (a.tokens ?? 0))
  const foundWhere = (wanted: boolean): Insight[] =>
    ranked(found.flatMap(({ act, insight }) => (act === wanted ? [insight] : [])))
  return { actions: [...foundWhere(true), ...ranked(costs(audits))], confirmed: foundWhere(false) }
}

interface Found {
  /** There is something to do about it now. */
  readonly act: boolean
  readonly insight: Insight
}

function revisionFindings(audits: Audits): Found[] {
  const { revisions, changes } = audits.constraint_effectiveness
  return changes.flatMap((change) => {
    const revision = revisions.find(({ version }) => version === change.to)
    const { builds = 0, judged = 0 } = revision ?? {}
    const current = revision?.current ?? false
    const found: Found[] = []
    const note = (
      worse: boolean,
      title: string,
      comparison: Comparison,
      form: Form,
      tokens: number | null,
    ): void => {
      found.push({
        act: worse && current && !change.side_by_side,
        insight: {
          kind: 'finding',
          title: change.side_by_side
            ? `GEMINI.md ${change.from} and ${change.to} side by side, under ${change.to}: ${title}`
            : `GEMINI.md ${change.from} to ${change.to}: ${title}`,
          evidence: evidenceOf(comparison, form),
          tokens: atMost(tokens, revision?.tokens ?? 0),
          change: adviceFor(worse, current, change),
          verify: `Compare the first-pass rate and the tokens per build of the next revision with ${change.to} in this report, after ${Math.max(50, Math.min(...comparison.n))} builds.`,
        },
      })
    }
    const { first_pass_rate: rate, tokens_per_build: tokens } = change
    if (isFound(tokens)) {
      const worse = tokens.difference.value > 0
      note(
        worse,
        `builds cost ${worse ? 'more' : 'fewer'} tokens`,
        tokens,
        'tokens',
        Math.abs(tokens.difference.value) * builds,
      )
    }
    if (isFound(rate)) {
      const worse = rate.difference.value < 0
      const extra = reworkedExtra(audits)
      note(
        worse,
        `${worse ? 'fewer' : 'more'} builds pass at first`,
        rate,
        'share',
        extra === null ? null : Math.abs(rate.difference.value) * judged * extra,
      )
    }
    for (const { error_type: type, rate: failures } of change.first_failures) {
      if (!isFound(failures)) continue
      const worse = failures.difference.value > 0
      const perFailure = reworkPerFailure(audits, type)
      note(
        worse,
        `${named(type)} fails ${worse ? 'more' : 'fewer'} first verifications`,
        failures,
        'share',
        perFailure === null ? null : Math.abs(failures.difference.value) * failures.n[1] * perFailure,
      )
      const last = found.at(-1)
      if (last?.act && last !== undefined) {
        found[found.length - 1] = {
          ...last,
          insight: { ...last.insight, change: `${ruleFor(type)} ${last.insight.change}` },
        }
      }
    }
    return found
  })
}

type Change = Audits['constraint_effectiveness']['changes'][number]

function adviceFor(worse: boolean, current: boolean, change: Change): string {
  if (change.side_by_side) {
    return (
      'Nothing for this alone: the two were used side by side, perhaps for different work. Compare them as alternatives: ' +
      `where they serve the same work, use ${worse ? change.from : change.to}.`
    )
  }
  if (!worse) {
    return current
      ? `Keep what ${change.to} changed in GEMINI.md.`
      : `Keep what ${change.to} changed in GEMINI.md, as far as the revision in use has it.`
  }
  if (!current)
    return `Nothing now: the latest builds do not use ${change.to}. Do not bring back what it added.`
  return `Look at what ${change.to} added to or removed from GEMINI.md since ${change.from}, and take back the part that did harm.`
}

function wordingFindings(audits: Audits): Found[] {
  const { comparisons, implement, fixes } = audits.prompt_refinement
  const found = comparisons.filter(({ comparison }) => isFound(comparison))
  return found.map((compared) => {
    const { phase, measure, first, second, comparison } = compared
    const higherIsBetter = measure !== 'completion_tokens'
    const secondIsBetter = favoursSecond(compared)
    // Cheap, but it repairs less: what it saves in one step is spent in the next.
    const contested =
      !higherIsBetter &&
      found.some(
        (other) =>
          other.phase === phase &&
          other.second === second &&
          other.measure !== measure &&
          favoursSecond(other) !== secondIsBetter,
      )
    const [better, worse] = secondIsBetter ? [second, first] : [first, second]
    const { used, judged, spent } = usageOf(
      phase === 'implement' ? implement.map(ofBuilds) : fixes.map(ofFixes),
      worse,
    )
    const size = Math.abs(comparison.difference.value)
    const perVerdict = phase === 'implement' ? reworkedExtra(audits) : tokensPerFix(audits)
    const saved = higherIsBetter
      ? atMost(perVerdict === null ? null : size * judged * perVerdict, reworkTokens(audits))
      : atMost(size * used, spent)
    const prompt = phase === 'implement' ? 'implement instruction' : 'fix prompt'
    const what = {
      first_pass_rate: `more builds pass at first with ${better} than with ${worse}`,
      pass_rate: `${better} repairs more often at the first attempt than ${worse}`,
      completion_tokens: `${better} takes fewer completion tokens than ${worse}`,
    }[measure]
    return {
      act: !contested,
      insight: {
        kind: 'finding' as const,
        title: `The ${prompt}: ${what ?? measure}`,
        evidence: `${first} against ${second}: ${evidenceOf(comparison, higherIsBetter ? 'share' : 'tokens')}`,
        tokens: saved,
        change: contested
          ? `Nothing for this alone: ${better} takes fewer tokens in one step, but does its work less often.`
          : `Use ${better} in place of ${worse} (used in ${number(used)} ${phase === 'implement' ? 'builds' : 'fixes'} of this period), unless the two were given different work: check the other measures of both first.`,
        verify: `Let both run side by side for some 50 builds each, or switch and compare this table for the days before and after.`,
      },
    }
  })
}

type Compared = Report['prompt_refinement']['comparisons'][number]

const favoursSecond = ({ measure, comparison }: Compared): boolean =>
  comparison.difference.value > 0 === (measure !== 'completion_tokens')

interface UsageOfWording {
  readonly instruction_version: string
  /** Builds or fixes. */
  readonly used: number
  readonly judged: number
  /** Completion tokens. */
  readonly spent: number
}

const ofBuilds = (row: Report['prompt_refinement']['implement'][number]): UsageOfWording => ({
  ...row,
  used: row.builds,
  spent: (row.completion_tokens?.value ?? 0) * row.steps,
})

const ofFixes = (row: Report['prompt_refinement']['fixes'][number]): UsageOfWording => ({
  ...row,
  used: row.fixes,
  spent: (row.completion_tokens?.value ?? 0) * row.fixes,
})

const usageOf = (
  rows: readonly UsageOfWording[],
  wording: string,
): Omit<UsageOfWording, 'instruction_version'> =>
  rows.find((row) => row.instruction_version === wording) ?? { used: 0, judged: 0, spent: 0 }

/** No more can be saved than was spent. */
const atMost = (tokens: number | null, spent: number): number | null =>
  tokens === null ? null : Math.min(tokens, spent)

/** Plain spending: no comparison, so no p-value; the figures are upper bounds of what a cure saves. */
function costs(audits: Audits): Insight[] {
  const { fix_cost: fixCost, prompt_share: promptShare } = audits.token_efficiency
  const all = audits.totals.tokens
  const rework = reworkTokens(audits)
  const insights: Insight[] = fixCost
    .filter(({ fixes, tokens }) => fixes >= MIN_FIXES && tokens > 0 && tokens >= MIN_SHARE * all)
    .slice(0, MAX_COSTS)
    .map(({ error_type: type, fixes, tokens, mean_tokens: mean }) => ({
      kind: 'cost',
      title: `Repairing ${named(type)} took ${number(tokens)} tokens, ${percent(tokens / rework)} of all rework`,
      evidence:
        `${number(fixes)} fixes` +
        (mean === null
          ? ''
          : `, ${number(mean.value)} tokens each${mean.low === null || mean.high === null ? '' : ` (95 % interval ${number(mean.low)} to ${number(mean.high)})`}`) +
        '. Measured, not compared: at most so much is saved where it no longer occurs.',
      tokens,
      change: ruleFor(type),
      verify: `Watch how often ${named(type)} fails the first verification under the next revision, in the table of revisions.`,
    }))
  const context = promptShare.reduce((sum, { context_tokens: tokens }) => sum + tokens, 0)
  const prompt = context + promptShare.reduce((sum, { instruction_tokens: tokens }) => sum + tokens, 0)
  if (context > 0 && context * 0.1 >= MIN_SHARE * all) {
    insights.push({
      kind: 'cost',
      title: `GEMINI.md is ${percent(context / prompt)} of the prompts`,
      evidence: `${number(context)} of ${number(prompt)} prompt tokens where entries tell the two apart. Measured, not compared.`,
      tokens: context * 0.1,
      change:
        'Shorten GEMINI.md: each tenth cut from it saves this many tokens. Begin with rules whose error types no longer occur, and with long examples.',
      verify: 'The first-pass rate of the shorter revision must not fall: see the table of revisions.',
    })
  }
  return insights
}

const named = (type: string): string => (type === '' ? 'failures without a type' : type)

type Form = 'share' | 'tokens'

function evidenceOf(comparison: Comparison, form: Form): string {
  const { first, second, difference, n, test, p, q } = comparison
  const [from, to] = form === 'share' ? [percent(first), percent(second)] : [number(first), number(second)]
  const interval =
    form === 'share'
      ? `${points(difference.value)} (95 % interval ${points(difference.low)} to ${points(difference.high)})`
      : `${signed(difference.value)} tokens (95 % interval ${signed(difference.low)} to ${signed(difference.high)})`
  return `${from} to ${to}, ${interval}; n = ${number(n[0])} and ${number(n[1])}; ${test}, p ${probability(p)}, after correction ${probability(q)}.`
}

export const probability = (p: number): string => (p < 0.0001 ? '< 0.0001' : `= ${p.toPrecision(2)}`)

const reworkTokens = (audits: Audits): number =>
  audits.token_efficiency.fix_cost.reduce((sum, { tokens }) => sum + tokens, 0)

/** What a build that needs rework costs more than one that passes at first: the tokens of its fixes. */
function reworkedExtra(audits: Audits): number | null {
  const { first_pass: _, ...others } = audits.totals.builds
  const reworked = others.after_rework + others.failed
  return reworked > 0 ? reworkTokens(audits) / reworked : null
}

function reworkPerFailure(audits: Audits, type: string): number | null {
  const row = audits.constraint_effectiveness.error_types.find(({ error_type }) => error_type === type)
  return row === undefined || row.builds === 0 ? null : row.rework_tokens / row.builds
}

function tokensPerFix(audits: Audits): number | null {
  const rows = audits.token_efficiency.fix_cost
  const fixes = rows.reduce((sum, row) => sum + row.fixes, 0)
  return fixes > 0 ? reworkTokens(audits) / fixes : null
}
