import { microUsd } from '../../entry/prices.ts'
import type { EstimatedField } from '../trace/entry.ts'
import { sumTokens, type AgentAnswer, type AgentFailureReason, type ModelTokens } from './agent-adapter.ts'
import type { AgentDeps, AgentEffort } from './agent-run.ts'
import type { TokenEstimator } from './token-estimate.ts'

export const SPLIT_FIELDS = ['context_token_count', 'instruction_token_count'] as const
const TOTAL_FIELDS = ['prompt_token_count', 'completion_token_count', 'total_token_cost'] as const

/**
 * The names of the counts that are estimates. `isWhole`: the run's own counts are exact. `hasCached`: the cached part of
 * the prompt is among them.
 */
export const estimatedFields = (isWhole: boolean, hasCached: boolean): readonly EstimatedField[] =>
  isWhole
    ? SPLIT_FIELDS
    : [...SPLIT_FIELDS, ...TOTAL_FIELDS, ...(hasCached ? (['cached_token_count'] as const) : [])]

export interface Counted {
  readonly promptTokens: number
  /** Absent if the counts are estimates. */
  readonly cachedTokens?: number
  readonly completionTokens: number
  readonly models: readonly ModelTokens[]
  /** As the CLI reported it. */
  readonly costUsd?: number | undefined
  /** Whether the counts are exact: everything that was billed. */
  readonly isWhole: boolean
}

export function countAnswered(
  answer: AgentAnswer & { ok: true },
  effort: AgentEffort,
  estimate: TokenEstimator,
): Counted {
  const { models, costUsd } = answer
  const { prompt, cached, completion } = sumTokens(models)
  if (prompt + completion > 0) {
    const counts = { promptTokens: prompt, cachedTokens: cached, completionTokens: completion }
    return { models, costUsd, ...counts, isWhole: true }
  }
  return {
    models,
    promptTokens: effort.contextTokens + effort.instructionTokens,
    completionTokens: estimate(answer.response),
    isWhole: false,
  }
}

/** Ended from outside: an answer that was in transit is not counted. */
export const CUT_SHORT: ReadonlySet<AgentFailureReason> = new Set([
  'timeout',
  'cancelled',
  'killed',
  'no_output',
])

export function countFailed(
  { costUsd }: AgentAnswer,
  models: readonly ModelTokens[],
  isWhole: boolean,
): Counted {
  const { prompt, cached, completion } = sumTokens(models)
  return {
    models,
    costUsd,
    promptTokens: prompt,
    cachedTokens: cached,
    completionTokens: completion,
    isWhole,
  }
}

type Measured = Pick<
  AgentEffort,
  'promptTokens' | 'cachedTokens' | 'completionTokens' | 'estimatedFields' | 'model' | 'costUsd'
>

/** The counts of a run. The cost is set only if the counts are exact; what the CLI reports comes before the prices. */
export function measured(counted: Counted | undefined, prices: AgentDeps['prices']): Partial<Measured> {
  if (counted === undefined) return {}
  const { models, promptTokens, cachedTokens, completionTokens, isWhole } = counted
  const model = models.toSorted((a, b) => b.prompt + b.completion - a.prompt - a.completion)[0]?.model
  const cost = isWhole ? (counted.costUsd ?? costOf(models, prices)) : undefined
  return {
    promptTokens,
    ...(cachedTokens === undefined ? {} : { cachedTokens }),
    completionTokens,
    estimatedFields: estimatedFields(isWhole, cachedTokens !== undefined),
    ...(model === undefined ? {} : { model }),
    ...(cost === undefined ? {} : { costUsd: cost }),
  }
}

/** `undefined` if a model has no price: a partial sum would be mistaken for the whole cost. */
function costOf(models: readonly ModelTokens[], prices: AgentDeps['prices']): number | undefined {
  if (prices === undefined || models.length === 0) return undefined
  let sum = 0
  for (const { model, ...tokens } of models) {
    const price = prices[model]
    if (price === undefined) return undefined
    sum += microUsd(tokens, price)
  }
  return sum / 1e6
}
