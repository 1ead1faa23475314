import { matchers } from '../../../prometheus/increase.ts'
import { count, ratio, type Selection, total } from '../../parts/promql.ts'
import { named } from '../../parts/named.ts'

const BY = ['instruction_version']
/** The prompt versions that are shown: the selected ones. */
const SHOWN = named('instruction_version', 'instruction_version=~"$version"')

/** A window, or whether it ends at the end of the time range for every point of a line. */
type When = Pick<Selection, 'window' | 'atEnd'>

const WITH_VERDICT = 'outcome!="abandoned"'

/** Builds by the prompt version of a phase. */
export interface Sample {
  /** Builds with a verdict, of the shown prompt versions, */
  readonly whole: string
  /** and those with the wanted outcome. */
  readonly good: string
  /** The same for the others of each shown prompt version together, whether they are shown or not. */
  readonly others: { readonly whole: string; readonly good: string }
}

function sample(phase: string, outcome: string, when: When): Sample {
  const builds = (...where: readonly string[]): string =>
    count('instructionBuilds', { by: BY, ...when, where: matchers(`phase="${phase}"`, ...where) })
  const wanted = `outcome="${outcome}"`
  const whole = builds(WITH_VERDICT, SHOWN)
  const good = `(${builds(wanted, SHOWN)} or ${whole} * 0)`
  const others = (all: string, own: string): string =>
    `(sum(${all}) or vector(0)) - on () group_right () (${own})`
  return {
    whole,
    good,
    others: { whole: others(builds(WITH_VERDICT), whole), good: others(builds(wanted), good) },
  }
}

/** Implement step: builds that passed their first verification. */
export const firstPasses = (when: When = {}): Sample => sample('implement', 'first_pass', when)
/** Rework: builds that succeeded after fixes. */
export const reworkSuccesses = (when: When = {}): Sample => sample('rework', 'after_rework', when)

/** Only the five prompt versions with the most builds in the time range: so many lines can be told apart. */
export const mostUsed = (expression: string, { whole }: Sample): string =>
  `(${expression}) and on (instruction_version) topk(5, ${whole})`

/** Completion tokens that a phase took per build, by prompt version. */
export const completionTokensPerBuild = (phase: string): string =>
  ratio(
    total('instructionTokens', { by: BY, where: matchers(`phase="${phase}",type="completion"`, SHOWN) }),
    count('instructionBuilds', { by: BY, where: matchers(`phase="${phase}"`, SHOWN) }),
  )

/** Rework cost factor by prompt version. */
export const costFactor = (when: When = {}): string =>
  ratio(
    total('instructionReworkCompletionTokens', { by: BY, where: SHOWN, ...when }),
    total('instructionReworkErrorLogChars', { by: BY, where: SHOWN, ...when }),
  )
