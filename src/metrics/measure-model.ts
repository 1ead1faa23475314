import type { Entry } from '../entry/parsed.ts'
import type { Bundle, ModelSeries } from './bundles.ts'
import { getOrInsert } from './get-or-insert.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

/** The model of an entry that has a cost and names no model. */
const UNKNOWN_MODEL = 'unknown'

/** Bounds the memory that hostile label values can take. */
const MAX_MODELS = 10_000

/**
 * Adds the tokens of an entry that names a model, and the cost of one that has a cost. `project` is the label. Builds take
 * turns with models: each model is looked up in the ledger once for each phase and project.
 */
export function createModels(
  ledger: Ledger,
  overflow: Overflow,
): (bundle: Bundle, entry: Entry, project: string) => void {
  const known = new Map<string, Map<string, Map<string, ModelSeries>>>()
  let count = 0

  function create(raw: string, project: string): ModelSeries {
    const overflowing: Series[] = []
    const label = raw === '' ? UNKNOWN_MODEL : overflow.admit('model', raw, overflowing)
    if (count++ >= MAX_MODELS) {
      known.clear()
      count = 0
    }
    return {
      raw,
      label,
      project,
      overflowing,
      cost: undefined,
      prompt: undefined,
      cached: undefined,
      completion: undefined,
    }
  }

  function modelOf(phase: string, raw: string, project: string): ModelSeries {
    const found = known.get(phase)?.get(project)?.get(raw)
    if (found !== undefined) return found
    const model = create(raw, project)
    const byProject = getOrInsert(known, phase, () => new Map<string, Map<string, ModelSeries>>())
    getOrInsert(byProject, project, () => new Map<string, ModelSeries>()).set(raw, model)
    return model
  }

  return (bundle, entry, project) => {
    const { costUsd, model: raw = '', spentTokens } = entry
    const hasTokens = raw !== '' && spentTokens !== undefined
    if (costUsd === undefined && !hasTokens) return
    if (bundle.model?.raw !== raw || bundle.model.project !== project)
      bundle.model = modelOf(bundle.phase, raw, project)
    const { model } = bundle
    for (const series of model.overflowing) ledger.add(series, 1)
    if (hasTokens) countTokens(ledger, bundle.phase, model, entry, spentTokens)
    if (costUsd === undefined) return
    model.cost ??= ledger.series('costUsd', [bundle.phase, model.label, project])
    ledger.add(model.cost, costUsd)
  }
}

/** The types add up to the tokens of the entry: the cached part of a prompt counts as `cached`, the rest as `prompt`. */
function countTokens(
  ledger: Ledger,
  phase: string,
  model: ModelSeries,
  { promptTokens, cachedTokens = 0, completionTokens }: Entry,
  spentTokens: number,
): void {
  const series = (type: string): Series =>
    ledger.series('modelTokens', [phase, model.label, type, model.project])
  if (promptTokens !== undefined) {
    ledger.add((model.prompt ??= series('prompt')), promptTokens - cachedTokens)
    if (cachedTokens > 0) ledger.add((model.cached ??= series('cached')), cachedTokens)
  }
  if (completionTokens !== undefined)
    ledger.add((model.completion ??= series('completion')), completionTokens)
  if (promptTokens === undefined && completionTokens === undefined) ledger.add(series('unsplit'), spentTokens)
}
