import { createHash } from 'node:crypto'
import type { ErrorType } from './error-logs.ts'

/** One revision of GEMINI.md and its effect on builds. */
export interface ContextRevision {
  /** SHA-256 of its text, 64 hex digits. */
  readonly hash: string
  /** Its size in tokens, which are part of every prompt. */
  readonly tokens: number
  /**
   * By error type: the probability (0 to 1) that the first verification of a build fails with it. The remainder
   * to 1 is the first-pass rate; see `firstPassRate` and `withFirstPassRate`.
   */
  readonly errorRates: Readonly<Partial<Record<ErrorType, number>>>
}

/** One prompt version of an instruction (or fix prompt) and its effect. */
export interface InstructionVersion {
  readonly name: string
  /** Its size in tokens, without the error log that a fix prompt adds. */
  readonly tokens: number
  /** How often builds use it, relative to the other prompt versions of the same step. */
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

/** Makes rework more expensive for a time, as a bad fix prompt or model would; the rework alert must fire. */
interface ReworkSpike {
  /** Start, simulated time in milliseconds since the epoch. */
  readonly fromMs: number
  /** End; absent: the spike does not end. */
  readonly untilMs?: number
  /** Multiplies the completion tokens of fixes. Error logs keep their size, so the cost factor rises equally. */
  readonly factor: number
  /** Only fixes of these error types; absent: of all types. */
  readonly errorTypes?: readonly ErrorType[]
}

/** A log-normal distribution of a size. */
interface Size {
  readonly median: number
  /** Standard deviation of the logarithm; 0 always gives the median, with 1 the 99th percentile is ten times the median. */
  readonly sigma: number
}

/** What an agent adds to its prompts, as the Gemini CLI does: it sends the history again at every turn. */
interface AgentPrompt {
  /** Tokens of the system prompt and the tools. */
  readonly fixedTokens: number
  /** Tokens of history for each completion token of the step. */
  readonly historyPerCompletionToken: number
}

/** All parameters of the simulated builds. */
export interface SimulationProfile {
  readonly instructions: Readonly<Record<'scaffold' | 'implement' | 'fix', readonly InstructionVersion[]>>
  readonly models: readonly SimulatedModel[]
  /** Probability that a build stops before any verification: the outcome `abandoned`. */
  readonly abandonRate: number
  /** Probability that a verification after a fix fails again (before the fix prompt's own scale). */
  readonly fixFailureRate: number
  /** Probability that such a failure repeats the previous error type; otherwise the context's rates decide. */
  readonly sameErrorRate: number
  /** Number of fixes after which a build ends with the outcome `failed`. */
  readonly fixLimit: number
  /** Completion tokens by kind of step; those of a fix also grow with its error log. */
  readonly completionTokens: Readonly<Record<'scaffold' | 'implement' | 'fix', Size>>
  /** The part of every agent prompt that is neither GEMINI.md nor instruction. */
  readonly agentPrompt: AgentPrompt
  /** Characters of one error log. */
  readonly errorLogChars: Size
  /** Duration of one step in milliseconds, at most `LONGEST_STEP_MS`. */
  readonly stepDurationMs: Readonly<Record<'scaffold' | 'implement' | 'verification' | 'fix', Size>>
  readonly spike?: ReworkSpike
}

/** Longest duration of a step. With `LONGEST_GAP_MS` it bounds the time between two entries of a build. */
export const LONGEST_STEP_MS = 5 * 60_000
/** Longest time between the end of a step and the start of the next one. */
export const LONGEST_GAP_MS = 3_000

/** Returns the share of builds that pass their first verification, of those that reach it. */
export const firstPassRate = ({ errorRates }: ContextRevision): number =>
  1 - Object.values(errorRates).reduce((sum, rate) => sum + rate, 0)

/** Returns the revision with its error rates scaled so that the given share of builds (0 to 1) is first-pass. */
export function withFirstPassRate(context: ContextRevision, rate: number): ContextRevision {
  const scale = (1 - rate) / (1 - firstPassRate(context))
  if (!Number.isFinite(scale)) throw new RangeError('cannot scale a revision without error rates')
  const errorRates = Object.fromEntries(
    Object.entries(context.errorRates).map(([type, was]) => [type, was * scale]),
  )
  return { ...context, errorRates }
}

/** Returns a revision with the hash of the given text. */
const contextRevision = (
  text: string,
  tokens: number,
  errorRates: ContextRevision['errorRates'],
): ContextRevision => ({ hash: createHash('sha256').update(text).digest('hex'), tokens, errorRates })

/**
 * GEMINI.md as a team edits it: the second revision halves the type errors, the third explicitly forbids `any`, the
 * fourth adds many examples (a third more tokens, more failing tests), the fifth is shorter and the best.
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

const promptVersion = (
  name: string,
  tokens: number,
  { weight = 1, completionScale = 1, failureScale = 1 } = {},
): InstructionVersion => ({ name, tokens, weight, completionScale, failureScale })

/** Default parameters of the simulator. The models' prices are examples. */
export const DEFAULT_PROFILE: SimulationProfile = {
  instructions: {
    scaffold: [promptVersion('scaffold-1', 64)],
    implement: [
      promptVersion('implement-1', 96),
      promptVersion('implement-2', 148, { weight: 2, completionScale: 0.9, failureScale: 0.85 }),
    ],
    fix: [
      promptVersion('fix-1', 58, { completionScale: 1.2 }),
      promptVersion('fix-2', 110, { weight: 2, completionScale: 0.8, failureScale: 0.9 }),
      promptVersion('fix-terse', 22, { completionScale: 0.6, failureScale: 1.3 }),
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
  agentPrompt: { fixedTokens: 6_000, historyPerCompletionToken: 8 },
  errorLogChars: { median: 620, sigma: 0.95 },
  stepDurationMs: {
    scaffold: { median: 45_000, sigma: 0.4 },
    implement: { median: 90_000, sigma: 0.4 },
    verification: { median: 55_000, sigma: 0.3 },
    fix: { median: 75_000, sigma: 0.5 },
  },
}
