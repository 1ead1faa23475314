import { count, ratio, total } from '../../parts/promql.ts'

const BY = ['instruction_version']
const over = (window: string | undefined) => (window === undefined ? {} : { window })

const builds = (phase: string, outcome: string, window?: string): string =>
  count('instructionBuilds', { by: BY, where: `phase="${phase}",${outcome}`, ...over(window) })

const WITH_VERDICT = 'outcome!="abandoned"'

/** Builds by the prompt version of a phase: all with a verdict, and those with the wanted outcome. */
export interface Sample {
  readonly whole: string
  readonly good: string
}

const sample = (phase: string, outcome: string, window?: string): Sample => {
  const whole = builds(phase, WITH_VERDICT, window)
  return { whole, good: `(${builds(phase, `outcome="${outcome}"`, window)} or ${whole} * 0)` }
}

/** Implement step: builds that passed their first verification. */
export const firstPasses = (window?: string): Sample => sample('implement', 'first_pass', window)
/** Rework: builds that succeeded after fixes. */
export const reworkSuccesses = (window?: string): Sample => sample('rework', 'after_rework', window)

/** The total of all other prompt versions. */
export const ofOthers = (whole: string): string => `sum(${whole}) - on () group_right () (${whole})`

/** Completion tokens that a phase took per build, by prompt version. */
export const completionTokensPerBuild = (phase: string): string =>
  ratio(
    total('instructionTokens', { by: BY, where: `phase="${phase}",type="completion"` }),
    count('instructionBuilds', { by: BY, where: `phase="${phase}"` }),
  )

/** Rework cost factor by prompt version. */
export const costFactor = (window?: string): string =>
  ratio(
    total('instructionReworkCompletionTokens', { by: BY, ...over(window) }),
    total('instructionReworkErrorLogChars', { by: BY, ...over(window) }),
  )
