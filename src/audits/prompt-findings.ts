import { counted } from '../render/format.ts'
import type { Audits, Found } from './audits.ts'
import { isFound } from './comparison.ts'
import { evidenceOf } from './evidence.ts'
import { atMost, reworkPerBuild, reworkTokens, tokensPerFix } from './savings.ts'
import type { Comparison } from './schema.ts'

type Prompts = Audits['prompt_refinement']
type Compared = Prompts['comparisons'][number]

/** A comparison of two prompt versions that is a finding, with the better version named. */
interface Difference extends Compared {
  readonly comparison: Comparison
  readonly better: string
  readonly worse: string
}

/** Findings on the versions of the implement prompt and of the fix prompt. */
export function promptFindings(audits: Audits): Found[] {
  const differences = audits.prompt_refinement.comparisons
    .filter(({ comparison }) => isFound(comparison))
    .map(differenceOf)
  const found = differences.map((difference) => ({
    difference,
    found: foundOf(audits, difference, isContested(difference, differences)),
  }))
  return found.map((one) => withContainer(one, found))
}

interface FoundDifference {
  readonly difference: Difference
  readonly found: Found
}

/**
 * Of several versions that are better than the same one, only one can replace it: the saving of the others is part of
 * the largest.
 */
function withContainer({ difference, found }: FoundDifference, all: readonly FoundDifference[]): Found {
  const { phase, measure, worse } = difference
  const [largest] = all
    .filter(
      (other) =>
        other.difference.phase === phase &&
        other.difference.measure === measure &&
        other.difference.worse === worse &&
        other.found.act === found.act,
    )
    .toSorted((a, b) => (b.found.insight.tokens ?? 0) - (a.found.insight.tokens ?? 0))
  if (largest === undefined || largest.found === found) return found
  return { ...found, insight: { ...found.insight, part_of: largest.found.insight.id } }
}

const higherIsBetter = ({ measure }: Compared): boolean => measure !== 'completion_tokens'

function differenceOf(compared: Compared): Difference {
  const { first, second, comparison } = compared
  const secondIsBetter = comparison.difference.value > 0 === higherIsBetter(compared)
  return { ...compared, better: secondIsBetter ? second : first, worse: secondIsBetter ? first : second }
}

/** Fewer tokens in one step, but the other version does its work more often: the saving is spent in the next step. */
const isContested = (difference: Difference, all: readonly Difference[]): boolean =>
  !higherIsBetter(difference) &&
  all.some(
    (other) =>
      other.phase === difference.phase &&
      other.measure !== difference.measure &&
      other.better === difference.worse &&
      other.worse === difference.better,
  )

function foundOf(audits: Audits, difference: Difference, contested: boolean): Found {
  const {
    phase,
    measure,
    first,
    second,
    better,
    worse,
    comparison,
    assigned_at_random: isAssigned,
  } = difference
  const usage = usageOf(audits.prompt_refinement, phase, worse)
  const used = phase === 'implement' ? counted(usage.used, 'build') : counted(usage.used, 'fix', 'fixes')
  return {
    act: !contested,
    insight: {
      id: ['prompt', phase, measure, worse, better].join('/'),
      kind: 'finding',
      title: `The ${phase === 'implement' ? 'implement' : 'fix'} prompt: ${claimOf(difference)}`,
      evidence: evidenceOf(comparison, higherIsBetter(difference) ? 'share' : 'tokens', {
        first,
        second,
        secondIsBetter: better === second,
        isAssigned,
      }),
      tokens: savingOf(audits, difference, usage),
      part_of: null,
      change: contested
        ? `Nothing for this alone: ${better} takes fewer tokens in one step, but does its work less often.`
        : `Use ${better} in place of ${worse} (used in ${used} of this period)${isAssigned ? '' : ', unless the two were given different work'}: check the other measures of both first.`,
      verify: isAssigned
        ? 'Switch, and compare this table for the days before and after.'
        : 'Assign both versions at random (choosePromptVersion) for some 50 builds each, or switch and compare this table for the days before and after.',
    },
  }
}

function claimOf({ measure, better, worse }: Difference): string {
  if (measure === 'completion_tokens') return `${better} takes fewer completion tokens than ${worse}`
  if (measure === 'pass_rate') return `${better} repairs more often at the first attempt than ${worse}`
  return `more builds pass at first with ${better} than with ${worse}`
}

interface Usage {
  /** Builds or fixes. */
  readonly used: number
  readonly judged: number
  /** Completion tokens. */
  readonly spent: number
}

function usageOf({ implement, fixes }: Prompts, phase: Compared['phase'], version: string): Usage {
  const has = (row: { readonly instruction_version: string }): boolean => row.instruction_version === version
  const [builds, fix] = [implement.find(has), fixes.find(has)]
  if (phase === 'implement' && builds !== undefined) {
    const { builds: used, judged, steps, completion_tokens: mean } = builds
    return { used, judged, spent: (mean?.value ?? 0) * steps }
  }
  if (phase === 'rework' && fix !== undefined) {
    const { fixes: used, judged, completion_tokens: mean } = fix
    return { used, judged, spent: (mean?.value ?? 0) * used }
  }
  return { used: 0, judged: 0, spent: 0 }
}

function savingOf(audits: Audits, difference: Difference, { used, judged, spent }: Usage): number | null {
  const size = Math.abs(difference.comparison.difference.value)
  if (!higherIsBetter(difference)) return atMost(size * used, spent)
  const perVerdict = difference.phase === 'implement' ? reworkPerBuild(audits) : tokensPerFix(audits)
  return atMost(perVerdict === null ? null : size * judged * perVerdict, reworkTokens(audits))
}
