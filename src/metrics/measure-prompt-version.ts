import type { AttributedEntry } from '../attribute/build.ts'
import type { Bundle, PromptVersion } from './bundles.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

/** Adds what one step spent to its prompt version; for a rework step also both sums of the rework cost factor. */
export function countPromptVersion(
  ledger: Ledger,
  overflow: Overflow,
  bundle: Bundle,
  attributed: AttributedEntry,
): void {
  const raw = attributed.instructionVersion
  if (raw === undefined) return
  if (bundle.promptVersion?.raw !== raw) bundle.promptVersion = promptVersion(overflow, raw)
  const version = bundle.promptVersion
  for (const series of version.overflowing) ledger.add(series, 1)
  countTokens(ledger, version, attributed)
  countFixPrompt(ledger, version, attributed)
}

function promptVersion(overflow: Overflow, raw: string): PromptVersion {
  const overflowing: Series[] = []
  return { raw, label: overflow.admit('instruction_version', raw, overflowing), overflowing }
}

function countTokens(ledger: Ledger, version: PromptVersion, { entry, phase }: AttributedEntry): void {
  const { promptTokens, completionTokens, spentTokens } = entry
  const series = (type: string): Series => ledger.series('instructionTokens', [version.label, phase, type])
  if (promptTokens !== undefined) ledger.add((version.prompt ??= series('prompt')), promptTokens)
  if (completionTokens !== undefined)
    ledger.add((version.completion ??= series('completion')), completionTokens)
  if (promptTokens === undefined && completionTokens === undefined && spentTokens !== undefined) {
    ledger.add(series('unsplit'), spentTokens)
  }
}

function countFixPrompt(ledger: Ledger, version: PromptVersion, attributed: AttributedEntry): void {
  const { phase, errorLogChars, entry } = attributed
  if (phase !== 'rework' || entry.completionTokens === undefined || !errorLogChars) return
  ledger.add(ledger.series('instructionReworkCompletionTokens', [version.label]), entry.completionTokens)
  ledger.add(ledger.series('instructionReworkErrorLogChars', [version.label]), errorLogChars)
}
