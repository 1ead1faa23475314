import { shortName } from '../short-name.ts'
import type { AttributedEntry, ClosedBuild } from '../attribute/build.ts'
import { getOrInsert } from './get-or-insert.ts'
import { createClosing } from './closing.ts'
import type { Contexts } from './contexts.ts'
import { OVERFLOW, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'
import { createOverflow } from './overflow.ts'

export interface MeasureDeps {
  readonly ledger: Ledger
  readonly labels: LabelValues
  readonly contexts: Contexts
}

export interface Measure {
  /** Counts one attributed entry, and the build that it closed. */
  entry(attributed: AttributedEntry, nowMs: number): void
  /** Counts a build that timed out. */
  closed(build: ClosedBuild, nowMs: number): void
}

/** Everything that entries with the same labels add to, looked up once. */
interface Bundle {
  readonly step: string
  readonly phase: string
  readonly errorType: string
  readonly context: string
  readonly overflowing: readonly Series[]
  readonly series: Map<string, Series>
  entries: Series
  promptTokens?: Series
  completionTokens?: Series
  stepTokenCost?: Series
  stepDuration?: Series
  /** Of the last entry with a wording. */
  wording?: {
    readonly raw: string
    readonly version: string
    readonly overflowing: readonly Series[]
    prompt?: Series
    completion?: Series
  }
  /** Of the last entry with a cost. */
  cost?: { readonly raw: string; readonly overflowing: readonly Series[]; readonly series: Series }
}

/** Hostile label values must not fill the memory. */
const MAX_BUNDLES = 10_000

/** Turns attributed entries into additions to the ledger: the catalogue's meaning, in code. */
export function createMeasure({ ledger, labels, contexts }: MeasureDeps): Measure {
  const bundles = new Map<string, Map<string, Map<string, Map<string, Bundle>>>>()
  let bundleCount = 0
  const overflow = createOverflow(ledger, labels)
  const closing = createClosing({ ledger, contexts, overflow })

  /** Level by level: to hash short strings is cheaper than to join them first. */
  function remember(bundle: Bundle, step: string, errorType: string, context: string, status: string): void {
    const byError = getOrInsert(bundles, step, () => new Map<string, Map<string, Map<string, Bundle>>>())
    const byContext = getOrInsert(byError, errorType, () => new Map<string, Map<string, Bundle>>())
    getOrInsert(byContext, context, () => new Map<string, Bundle>()).set(status, bundle)
  }

  function bundleOf(attributed: AttributedEntry, context: string): Bundle {
    const { entry, phase } = attributed
    const { errorType } = attributed
    const step = shortName(entry.step)
    const found = bundles.get(step)?.get(errorType)?.get(context)?.get(entry.status)
    if (found !== undefined && found.phase === phase) return found
    const overflowing: Series[] = []
    const stepLabel = overflow.admit('step', step, overflowing)
    const errorLabel = overflow.admit('error_type', errorType, overflowing)
    const bundle: Bundle = {
      step: stepLabel,
      phase,
      errorType: errorLabel,
      context,
      overflowing,
      series: new Map(),
      entries: ledger.series('entries', [stepLabel, phase, entry.status, errorLabel, context]),
    }
    if (bundleCount++ >= MAX_BUNDLES) {
      bundles.clear()
      bundleCount = 0
    }
    remember(bundle, step, errorType, context, entry.status)
    return bundle
  }

  function tokens(bundle: Bundle, attributed: AttributedEntry): void {
    const { promptTokens, completionTokens, spentTokens } = attributed.entry
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

  /** A series of the bundle that not every entry needs. */
  const rare = (bundle: Bundle, key: string, make: () => Series): Series => {
    const found = bundle.series.get(key)
    if (found !== undefined) return found
    const made = make()
    bundle.series.set(key, made)
    return made
  }

  function promptParts(bundle: Bundle, attributed: AttributedEntry): void {
    const { contextTokens, instructionTokens } = attributed.entry
    const part = (name: string): Series =>
      rare(bundle, name, () => ledger.series('promptTokens', [bundle.phase, bundle.context, name]))
    if (contextTokens !== undefined) ledger.add(part('context'), contextTokens)
    if (instructionTokens !== undefined) ledger.add(part('instruction'), instructionTokens)
  }

  function rework(bundle: Bundle, attributed: AttributedEntry): void {
    if (attributed.phase !== 'rework') return
    const { errorLogChars, reworkCostFactor } = attributed
    const { completionTokens } = attributed.entry
    const pair = [bundle.errorType, bundle.context]
    if (errorLogChars !== undefined) {
      ledger.observe(
        rare(bundle, 'log', () => ledger.series('errorLogChars', [bundle.errorType])),
        errorLogChars,
      )
      if (completionTokens !== undefined && errorLogChars > 0) {
        ledger.add(
          rare(bundle, 'rc', () => ledger.series('reworkCompletionTokens', pair)),
          completionTokens,
        )
        ledger.add(
          rare(bundle, 're', () => ledger.series('reworkErrorLogChars', pair)),
          errorLogChars,
        )
      }
    }
    if (reworkCostFactor !== undefined) {
      ledger.observe(
        rare(bundle, 'rf', () => ledger.series('reworkCostFactor', [bundle.errorType])),
        reworkCostFactor,
      )
    }
  }

  function instruction(bundle: Bundle, attributed: AttributedEntry): void {
    const { instructionVersion, promptTokens, completionTokens, spentTokens } = attributed.entry
    if (instructionVersion === undefined) return
    if (bundle.wording?.raw !== instructionVersion) {
      const overflowing: Series[] = []
      const version = overflow.admit('instruction_version', instructionVersion, overflowing)
      bundle.wording = { raw: instructionVersion, version, overflowing }
    }
    const { wording } = bundle
    for (const series of wording.overflowing) ledger.add(series, 1)
    const series = (type: string): Series =>
      ledger.series('instructionTokens', [wording.version, bundle.phase, type])
    if (promptTokens !== undefined) ledger.add((wording.prompt ??= series('prompt')), promptTokens)
    if (completionTokens !== undefined)
      ledger.add((wording.completion ??= series('completion')), completionTokens)
    if (promptTokens === undefined && completionTokens === undefined && spentTokens !== undefined) {
      ledger.add(series('unsplit'), spentTokens)
    }
    fixPrompt(wording, attributed)
  }

  /** Both sums of the cost factor, so that fix prompts can be compared by it. */
  function fixPrompt({ version }: { readonly version: string }, attributed: AttributedEntry): void {
    const { phase, errorLogChars, entry } = attributed
    if (phase !== 'rework' || entry.completionTokens === undefined || !errorLogChars) return
    ledger.add(ledger.series('instructionReworkCompletionTokens', [version]), entry.completionTokens)
    ledger.add(ledger.series('instructionReworkErrorLogChars', [version]), errorLogChars)
  }

  function cost(bundle: Bundle, attributed: AttributedEntry): void {
    const { costUsd, model = '' } = attributed.entry
    if (costUsd === undefined) return
    if (bundle.cost?.raw !== model) {
      const overflowing: Series[] = []
      const name = model === '' ? 'unknown' : overflow.admit('model', model, overflowing)
      bundle.cost = { raw: model, overflowing, series: ledger.series('costUsd', [bundle.phase, name]) }
    }
    for (const series of bundle.cost.overflowing) ledger.add(series, 1)
    ledger.add(bundle.cost.series, costUsd)
  }

  return {
    entry(attributed, nowMs) {
      const { entry, late } = attributed
      const context = contexts.admit(attributed.contextFileHash, entry.timestampMs, nowMs)
      const bundle = bundleOf(attributed, context)
      ledger.add(bundle.entries, 1)
      for (const series of bundle.overflowing) ledger.add(series, 1)
      if (context === OVERFLOW) ledger.add(overflow.series('context_hash'), 1)
      tokens(bundle, attributed)
      promptParts(bundle, attributed)
      rework(bundle, attributed)
      instruction(bundle, attributed)
      cost(bundle, attributed)
      if (entry.filesTouched !== undefined) {
        ledger.observe(
          rare(bundle, 'files', () => ledger.series('filesTouched', [bundle.phase])),
          entry.filesTouched,
        )
      }
      if (attributed.durationSeconds !== undefined) {
        const duration = (bundle.stepDuration ??= ledger.series('stepDurationSeconds', [bundle.phase]))
        ledger.observe(duration, attributed.durationSeconds)
      }
      if (attributed.closed !== undefined) closing.closed(attributed.closed, nowMs)
      else if (late !== undefined && entry.spentTokens !== undefined) {
        closing.late(late, entry.spentTokens, nowMs)
      }
    },
    closed: (build, nowMs) => closing.closed(build, nowMs),
  }
}
