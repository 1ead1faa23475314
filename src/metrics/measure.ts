import type { AttributedEntry, ClosedBuild, Outcome } from '../attribute/build.ts'
import type { EntryWarning, RejectReason } from '../entry/parse.ts'
import type { Contexts } from './contexts.ts'
import { labelValue, MAX_LABEL_LENGTH, OVERFLOW, type CappedLabel, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'

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
  warning(reason: EntryWarning): void
  rejected(reason: RejectReason): void
  bytes(result: 'counted' | 'rejected' | 'skipped', amount: number): void
  truncation(): void
  rotation(): void
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

/** Everything that a closing build adds to. */
interface ClosingSeries {
  readonly builds: Series
  readonly tokens: Series
  readonly tokenCost: Series
  readonly duration: Series
  readonly reworkSteps: Series
}

/** Hostile label values must not fill the memory. */
const MAX_BUNDLES = 10_000

/** Turns attributed entries into additions to the ledger: the catalogue's meaning, in code. */
export function createMeasure({ ledger, labels, contexts }: MeasureDeps): Measure {
  const bundles = new Map<string, Map<string, Map<string, Map<string, Bundle>>>>()
  let bundleCount = 0
  const closings = new Map<string, ClosingSeries>()
  const instructionClosings = new Map<Outcome, Map<string, Series>>()
  const bytesSeries = {
    counted: ledger.series('readBytes', ['counted']),
    rejected: ledger.series('readBytes', ['rejected']),
    skipped: ledger.series('readBytes', ['skipped']),
  }
  const rejectedSeries = {
    invalid_json: ledger.series('rejectedLines', ['invalid_json']),
    schema: ledger.series('rejectedLines', ['schema']),
    too_long: ledger.series('rejectedLines', ['too_long']),
    invalid_utf8: ledger.series('rejectedLines', ['invalid_utf8']),
  }
  const warningSeries = {
    total_mismatch: ledger.series('entryWarnings', ['total_mismatch']),
    rework_cost_factor_mismatch: ledger.series('entryWarnings', ['rework_cost_factor_mismatch']),
    timestamp_in_future: ledger.series('entryWarnings', ['timestamp_in_future']),
  }
  const truncations = ledger.series('truncations', [])
  const rotations = ledger.series('rotations', [])
  const overflow = (label: string): Series => ledger.series('labelOverflow', [label])
  for (const label of ['step', 'error_type', 'instruction_version', 'model', 'context_hash']) overflow(label)

  /** One label's value as it may be shown; an overflow is noted in `overflowing`. */
  const capped = (label: CappedLabel, text: string, overflowing?: Series[]): string => {
    const value = labels.admit(label, labelValue(text))
    if (value === OVERFLOW) overflowing?.push(overflow(label))
    return value
  }

  /** Level by level: to hash short strings is cheaper than to join them first. */
  function remember(bundle: Bundle, step: string, errorType: string, context: string, status: string): void {
    const byError = entryOf(bundles, step, () => new Map<string, Map<string, Map<string, Bundle>>>())
    const byContext = entryOf(byError, errorType, () => new Map<string, Map<string, Bundle>>())
    entryOf(byContext, context, () => new Map<string, Bundle>()).set(status, bundle)
  }

  function bundleOf(attributed: AttributedEntry, context: string): Bundle {
    const { entry, phase } = attributed
    const step = cut(entry.step)
    const errorType = cut(attributed.errorType)
    const found = bundles.get(step)?.get(errorType)?.get(context)?.get(entry.status)
    if (found !== undefined && found.phase === phase) return found
    const overflowing: Series[] = []
    const stepLabel = capped('step', step, overflowing)
    const errorLabel = capped('error_type', errorType, overflowing)
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
    const { promptTokens, completionTokens, totalTokens } = attributed.entry
    const series = (type: string): Series =>
      ledger.series('tokens', [bundle.step, bundle.phase, bundle.errorType, bundle.context, type])
    if (promptTokens !== undefined && completionTokens !== undefined) {
      ledger.add((bundle.promptTokens ??= series('prompt')), promptTokens)
      ledger.add((bundle.completionTokens ??= series('completion')), completionTokens)
    } else if (totalTokens !== undefined) ledger.add(series('unsplit'), totalTokens)
    else if (promptTokens !== undefined) ledger.add(series('prompt'), promptTokens)
    else if (completionTokens !== undefined) ledger.add(series('completion'), completionTokens)
    if (totalTokens !== undefined) {
      const cost = (bundle.stepTokenCost ??= ledger.series('stepTokenCost', [bundle.step, bundle.phase]))
      ledger.observe(cost, totalTokens)
    }
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
    const { instructionVersion, promptTokens, completionTokens, totalTokens } = attributed.entry
    if (instructionVersion === undefined) return
    if (bundle.wording?.raw !== instructionVersion) {
      const overflowing: Series[] = []
      const version = capped('instruction_version', instructionVersion, overflowing)
      bundle.wording = { raw: instructionVersion, version, overflowing }
    }
    const { wording } = bundle
    for (const series of wording.overflowing) ledger.add(series, 1)
    const series = (type: string): Series =>
      ledger.series('instructionTokens', [wording.version, bundle.phase, type])
    if (promptTokens !== undefined) ledger.add((wording.prompt ??= series('prompt')), promptTokens)
    if (completionTokens !== undefined)
      ledger.add((wording.completion ??= series('completion')), completionTokens)
    if (promptTokens === undefined && completionTokens === undefined && totalTokens !== undefined) {
      ledger.add(series('unsplit'), totalTokens)
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
      const name = model === '' ? 'unknown' : capped('model', model, overflowing)
      bundle.cost = { raw: model, overflowing, series: ledger.series('costUsd', [bundle.phase, name]) }
    }
    for (const series of bundle.cost.overflowing) ledger.add(series, 1)
    ledger.add(bundle.cost.series, costUsd)
  }

  function closeBuild(build: ClosedBuild, nowMs: number): void {
    const { outcome, tokens } = build
    const context = contextOf(build, nowMs)
    const series = closingSeries(outcome, context)
    ledger.add(series.builds, 1)
    ledger.add(series.tokens, tokens)
    ledger.observe(series.tokenCost, tokens)
    if (build.durationSeconds >= 0) ledger.observe(series.duration, build.durationSeconds)
    ledger.observe(series.reworkSteps, build.reworkSteps)
    for (const pair of build.instructions) ledger.add(instructionBuilds(pair, outcome), 1)
  }

  function closingSeries(outcome: Outcome, context: string): ClosingSeries {
    return entryOf(closings, `${outcome}\0${context}`, () => ({
      builds: ledger.series('builds', [outcome, context]),
      tokens: ledger.series('buildTokens', [outcome, context]),
      tokenCost: ledger.series('buildTokenCost', [outcome]),
      duration: ledger.series('buildDurationSeconds', [outcome]),
      reworkSteps: ledger.series('buildReworkSteps', [outcome]),
    }))
  }

  function instructionBuilds(pair: string, outcome: Outcome): Series {
    const byPair = entryOf(instructionClosings, outcome, () => new Map<string, Series>())
    if (byPair.size >= MAX_BUNDLES) byPair.clear()
    return entryOf(byPair, pair, () => {
      const [phase, version] = splitPair(pair)
      return ledger.series('instructionBuilds', [capped('instruction_version', version), phase, outcome])
    })
  }

  /** A build's context was in use when its entries came: asking for it later is no further use. */
  const contextOf = (build: ClosedBuild, nowMs: number): string =>
    contexts.admit(build.contextFileHash, build.lastEntryMs, nowMs)

  return {
    entry(attributed, nowMs) {
      const { entry, late } = attributed
      const context = contexts.admit(attributed.contextFileHash, entry.timestampMs, nowMs)
      const bundle = bundleOf(attributed, context)
      ledger.add(bundle.entries, 1)
      for (const series of bundle.overflowing) ledger.add(series, 1)
      if (context === OVERFLOW) ledger.add(overflow('context_hash'), 1)
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
      if (attributed.closed !== undefined) closeBuild(attributed.closed, nowMs)
      else if (late !== undefined && entry.totalTokens !== undefined) {
        ledger.add(ledger.series('buildTokens', [late.outcome, contextOf(late, nowMs)]), entry.totalTokens)
      }
    },
    closed: closeBuild,
    warning: (reason) => ledger.add(warningSeries[reason], 1),
    rejected: (reason) => ledger.add(rejectedSeries[reason], 1),
    bytes: (result, amount) => ledger.add(bytesSeries[result], amount),
    truncation: () => ledger.add(truncations, 1),
    rotation: () => ledger.add(rotations, 1),
  }
}

function entryOf<V>(map: Map<string, V>, key: string, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

const cut = (text: string): string =>
  text.length > MAX_LABEL_LENGTH ? text.slice(0, MAX_LABEL_LENGTH) : text

/** A build keeps `phase NUL wording`; the wording itself may hold a NUL. */
function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('\0')
  return [pair.slice(0, at), pair.slice(at + 1)]
}
