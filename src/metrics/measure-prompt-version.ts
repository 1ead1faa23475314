import type { AttributedEntry } from '../attribute/build.ts'
import type { Bundle, PromptVersion } from './bundles.ts'
import { getOrInsert } from './get-or-insert.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

/** Bounds the memory that hostile label values can take. */
const MAX_VERSIONS = 10_000

/**
 * Adds what one step spent to its prompt version; for a rework step also both sums of the rework cost factor. Builds take
 * turns with versions: each version is looked up in the ledger once for each phase.
 */
export function createPromptVersions(
  ledger: Ledger,
  overflow: Overflow,
): (bundle: Bundle, attributed: AttributedEntry) => void {
  const known = new Map<string, Map<string, PromptVersion>>()

  function versionOf(phase: string, raw: string): PromptVersion {
    const byRaw = getOrInsert(known, phase, () => new Map<string, PromptVersion>())
    if (byRaw.size >= MAX_VERSIONS) byRaw.clear()
    return getOrInsert(byRaw, raw, () => {
      const overflowing: Series[] = []
      return {
        raw,
        label: overflow.admit('instruction_version', raw, overflowing),
        overflowing,
        prompt: undefined,
        completion: undefined,
        reworkCompletionTokens: undefined,
        reworkErrorLogChars: undefined,
      }
    })
  }

  return (bundle, attributed) => {
    const raw = attributed.instructionVersion
    if (raw === undefined) return
    if (bundle.promptVersion?.raw !== raw) bundle.promptVersion = versionOf(attributed.phase, raw)
    const version = bundle.promptVersion
    for (const series of version.overflowing) ledger.add(series, 1)
    countTokens(ledger, version, attributed)
    countFixPrompt(ledger, version, attributed)
  }
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
  version.reworkCompletionTokens ??= ledger.series('instructionReworkCompletionTokens', [version.label])
  ledger.add(version.reworkCompletionTokens, entry.completionTokens)
  version.reworkErrorLogChars ??= ledger.series('instructionReworkErrorLogChars', [version.label])
  ledger.add(version.reworkErrorLogChars, errorLogChars)
}
