import type { AttributedEntry } from '../attribute/build.ts'
import type { Entry } from '../entry/parsed.ts'
import type { Bundle } from './bundles.ts'
import type { Ledger, Series } from './ledger.ts'

/** Adds what one step spent, and its size to the histogram. */
export function countTokens(ledger: Ledger, bundle: Bundle, entry: Entry): void {
  const { promptTokens, completionTokens, spentTokens } = entry
  if (spentTokens === undefined) return
  const series = (type: string): Series =>
    ledger.series('tokens', [bundle.step, bundle.phase, bundle.errorType, bundle.context, type])
  if (promptTokens !== undefined) ledger.add((bundle.promptTokens ??= series('prompt')), promptTokens)
  if (completionTokens !== undefined)
    ledger.add((bundle.completionTokens ??= series('completion')), completionTokens)
  if (promptTokens === undefined && completionTokens === undefined) {
    ledger.add(series('unsplit'), spentTokens)
  }
  const cost = (bundle.stepTokenCost ??= ledger.series('stepTokenCost', [bundle.step, bundle.phase]))
  ledger.observe(cost, spentTokens)
}

/** Adds the parts of a prompt whose size is known, so that each part has its share of the whole. */
export function countPromptParts(ledger: Ledger, bundle: Bundle, entry: Entry): void {
  const { contextTokens, instructionTokens, otherTokens } = entry
  if (otherTokens === undefined) return
  const part = (name: string): Series => ledger.series('promptTokens', [bundle.phase, bundle.context, name])
  if (contextTokens !== undefined) ledger.add((bundle.contextPart ??= part('context')), contextTokens)
  if (instructionTokens !== undefined)
    ledger.add((bundle.instructionPart ??= part('instruction')), instructionTokens)
  if (otherTokens > 0) ledger.add((bundle.otherPart ??= part('other')), otherTokens)
}

/** Adds both sums of the rework cost factor, and its own histograms. */
export function countRework(ledger: Ledger, bundle: Bundle, attributed: AttributedEntry): void {
  if (attributed.phase !== 'rework') return
  const { errorLogChars, reworkCostFactor } = attributed
  const { completionTokens } = attributed.entry
  const { errorType, context } = bundle
  if (errorLogChars !== undefined) {
    bundle.errorLogChars ??= ledger.series('errorLogChars', [errorType])
    ledger.observe(bundle.errorLogChars, errorLogChars)
  }
  if (reworkCostFactor !== undefined) {
    bundle.reworkCostFactor ??= ledger.series('reworkCostFactor', [errorType])
    ledger.observe(bundle.reworkCostFactor, reworkCostFactor)
  }
  if (!errorLogChars || completionTokens === undefined) return
  bundle.reworkCompletionTokens ??= ledger.series('reworkCompletionTokens', [errorType, context])
  ledger.add(bundle.reworkCompletionTokens, completionTokens)
  bundle.reworkErrorLogChars ??= ledger.series('reworkErrorLogChars', [errorType, context])
  ledger.add(bundle.reworkErrorLogChars, errorLogChars)
}

export function countFilesTouched(ledger: Ledger, bundle: Bundle, { filesTouched }: Entry): void {
  if (filesTouched === undefined) return
  bundle.filesTouched ??= ledger.series('filesTouched', [bundle.phase])
  ledger.observe(bundle.filesTouched, filesTouched)
}

export function countDuration(ledger: Ledger, bundle: Bundle, { durationSeconds }: AttributedEntry): void {
  if (durationSeconds === undefined) return
  bundle.stepDuration ??= ledger.series('stepDurationSeconds', [bundle.phase])
  ledger.observe(bundle.stepDuration, durationSeconds)
}
