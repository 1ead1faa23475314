import { createHash } from 'node:crypto'
import type { ErrorType } from './error-logs.ts'

/** One revision of GEMINI.md, and how builds fare under it. */
export interface ContextRevision {
  /** SHA-256 of its text, 64 hex digits. */
  readonly hash: string
  /** Its size in tokens, part of every prompt. */
  readonly tokens: number
  /**
   * By error type: the probability (0 to 1) that the first verification of a build fails with it. What is left
   * to 1 is the first-pass rate; see `firstPassRate` and `withFirstPassRate`.
   */
  readonly errorRates: Readonly<Partial<Record<ErrorType, number>>>
}

/** One wording of an instruction (or fix prompt), and what difference it makes. */
export interface InstructionVersion {
  readonly name: string
  /** Its size in tokens; a fix prompt's error log comes on top. */
  readonly tokens: number
  /** How often builds use it, relative to the other wordings of the same step. */
  readonly weight: number
  /** Multiplies the completion tokens of its steps. */
  readonly completionScale: number
  /** Multiplies the probability that the verification after its step fails. */
  readonly failureScale: number
}

export interface SimulatedModel {
  readonly name: string
  /** How often builds use it, relative to the other models. */
  readonly weight: number
  readonly usdPerMillionPromptTokens: number
  readonly usdPerMillionCompletionTokens: number
}

/** Makes rework dearer for a time, as a bad fix prompt or model would: what the rework alert must notice. */
interface ReworkSpike {
  /** From this moment on, simulated time in milliseconds since the epoch. */
  readonly fromMs: number
  /** Until then; for ever where absent. */
  readonly untilMs?: number
  /** Multiplies the completion tokens of fixes; the error logs keep their size, so the cost factor rises as much. */
  readonly factor: number
  /** Only fixes of these; of every type where absent. */
  readonly errorTypes?: readonly ErrorType[]
}

/** A size whose draws scatter log-normally around a median. */
interface Size {
  readonly median: number
  /** Spread of the logarithm; 0 draws the median every time, 1 has a tail of ten times the median in 1 of 100. */
  readonly sigma: number
}

/** Every knob of the simulated builds. */
export interface SimulationProfile {
  readonly instructions: Readonly<Record<'scaffold' | 'implement' | 'fix', readonly InstructionVersion[]>>
  readonly models: readonly SimulatedModel[]
  /** Probability that a build stops before any verification: the outcome `abandoned`. */
  readonly abandonRate: number
  /** Probability that a verification after a fix fails again (before the fix prompt's own scale). */
  readonly fixFailureRate: number
  /** Probability that such a failure has the error type of the one before; else the context's rates decide. */
  readonly sameErrorRate: number
  /** Fixes after which a build is given up: the outcome `failed`. */
  readonly fixLimit: number
  /** Completion tokens by kind of step; a fix's grow with its error log on top. */
  readonly completionTokens: Readonly<Record<'scaffold' | 'implement' | 'fix', Size>>
  /** Characters of one error log. */
  readonly errorLogChars: Size
  /** Milliseconds that one step takes, cut at `LONGEST_STEP_MS`. */
  readonly stepDurationMs: Readonly<Record<'scaffold' | 'implement' | 'verification' | 'fix', Size>>
  readonly spike?: ReworkSpike
}

/** No simulated step takes longer; with `LONGEST_GAP_MS` it bounds the silence between two entries of a build. */
export const LONGEST_STEP_MS = 5 * 60_000
/** No simulated step starts later than this after the one before. */
export const LONGEST_GAP_MS = 3_000

/** The share of builds that pass their first verification, of those that reach it. */
export const firstPassRate = ({ errorRates }: ContextRevision): number =>
  1 - Object.values(errorRates).reduce((sum, rate) => sum + rate, 0)

/** The same revision with its error rates scaled so that the given share of builds (0 to 1) passes at first. */
export function withFirstPassRate(context: ContextRevision, rate: number): ContextRevision {
  const scale = (1 - rate) / (1 - firstPassRate(context))
  if (!Number.isFinite(scale)) throw new RangeError('a revision without error rates always passes at first')
  const errorRates = Object.fromEntries(
    Object.entries(context.errorRates).map(([type, was]) => [type, was * scale]),
  )
  return { ...context, errorRates }
}

/** A revision whose hash is that of the given text. */
const contextRevision = (
  text: string,
  tokens: number,
  errorRates: ContextRevision['errorRates'],
): ContextRevision => ({ hash: createHash('sha256').update(text).digest('hex'), tokens, errorRates })

/**
 * GEMINI.md as a team edits it: the second halves the type errors, the third forbids `any` in so many words, the
 * fourth piles up examples (a third more tokens, more failing tests), the fifth is trimmed and the best.
 */
export const CONTEXT_REVISIONS: readonly ContextRevision[] = [
  contextRevision('# Rules\n', 6_140, {
    TSC_ERROR: 0.24,
    ESLINT_ERROR: 0.06,
    ESLINT_ERROR_NO_ANY: 0.12,
    JEST_FAILURE: 0.08,
    NPM_INSTALL_FAILURE: 0.03,
  }),
  contextRevision('# Rules\nUse strict types.\n', 6_510, {
    TSC_ERROR: 0.12,
    ESLINT_ERROR: 0.06,
    ESLINT_ERROR_NO_ANY: 0.11,
    JEST_FAILURE: 0.08,
    NPM_INSTALL_FAILURE: 0.03,
  }),
  contextRevision('# Rules\nUse strict types.\nNever write any.\n', 6_690, {
    TSC_ERROR: 0.12,
    ESLINT_ERROR: 0.05,
    ESLINT_ERROR_NO_ANY: 0.02,
    JEST_FAILURE: 0.09,
    NPM_INSTALL_FAILURE: 0.03,
  }),
  contextRevision('# Rules\nUse strict types.\nNever write any.\n# Examples\n', 9_420, {
    TSC_ERROR: 0.11,
    ESLINT_ERROR: 0.06,
    ESLINT_ERROR_NO_ANY: 0.02,
    JEST_FAILURE: 0.15,
    NPM_INSTALL_FAILURE: 0.02,
  }),
  contextRevision('# Rules\nUse strict types. Never write any. Run the tests.\n', 5_240, {
    TSC_ERROR: 0.07,
    ESLINT_ERROR: 0.04,
    ESLINT_ERROR_NO_ANY: 0.02,
    JEST_FAILURE: 0.06,
    NPM_INSTALL_FAILURE: 0.02,
  }),
]

const wording = (
  name: string,
  tokens: number,
  { weight = 1, completionScale = 1, failureScale = 1 } = {},
): InstructionVersion => ({ name, tokens, weight, completionScale, failureScale })

/** What the simulator does unless told otherwise; the models' prices are examples, not offers. */
export const DEFAULT_PROFILE: SimulationProfile = {
  instructions: {
    scaffold: [wording('scaffold-1', 64)],
    implement: [
      wording('implement-1', 96),
      wording('implement-2', 148, { weight: 2, completionScale: 0.9, failureScale: 0.85 }),
    ],
    fix: [
      wording('fix-1', 58, { completionScale: 1.2 }),
      wording('fix-2', 110, { weight: 2, completionScale: 0.8, failureScale: 0.9 }),
      wording('fix-terse', 22, { completionScale: 0.6, failureScale: 1.3 }),
    ],
  },
  models: [
    {
      name: 'gemini-2.5-pro',
      weight: 3,
      usdPerMillionPromptTokens: 1.25,
      usdPerMillionCompletionTokens: 10,
    },
    {
      name: 'gemini-2.5-flash',
      weight: 1,
      usdPerMillionPromptTokens: 0.3,
      usdPerMillionCompletionTokens: 2.5,
    },
  ],
  abandonRate: 0.04,
  fixFailureRate: 0.5,
  sameErrorRate: 0.5,
  fixLimit: 3,
  completionTokens: {
    scaffold: { median: 1_050, sigma: 0.25 },
    implement: { median: 5_400, sigma: 0.35 },
    fix: { median: 1_400, sigma: 0.4 },
  },
  errorLogChars: { median: 620, sigma: 0.95 },
  stepDurationMs: {
    scaffold: { median: 45_000, sigma: 0.4 },
    implement: { median: 90_000, sigma: 0.4 },
    verification: { median: 55_000, sigma: 0.3 },
    fix: { median: 75_000, sigma: 0.5 },
  },
}
