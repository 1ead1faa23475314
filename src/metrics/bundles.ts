import type { AttributedEntry } from '../attribute/build.ts'
import { shortName } from '../short-name.ts'
import { getOrInsert } from './get-or-insert.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

/**
 * The series of entries that share step, phase, status, error type and context. Each series is looked up in the
 * ledger once, with the first entry that needs it. Every field is there from the start: objects that grow in another order
 * have another shape, and V8 compiles what reads them again for each.
 */
export interface Bundle {
  /** Label values, as the series show them. */
  readonly step: string
  readonly phase: string
  readonly errorType: string
  readonly context: string
  /** Counters of the limits that the labels exceed; every entry adds one to each. */
  readonly overflowing: readonly Series[]
  readonly entries: Series
  promptTokens: Series | undefined
  completionTokens: Series | undefined
  stepTokenCost: Series | undefined
  stepDuration: Series | undefined
  contextPart: Series | undefined
  instructionPart: Series | undefined
  otherPart: Series | undefined
  errorLogChars: Series | undefined
  reworkCostFactor: Series | undefined
  reworkCompletionTokens: Series | undefined
  reworkErrorLogChars: Series | undefined
  filesTouched: Series | undefined
  /** Of the latest entry that has a prompt version. */
  promptVersion: PromptVersion | undefined
  /** Of the latest entry that names a model or has a cost. */
  model: ModelSeries | undefined
}

/** The series of one model and one project within a phase. */
export interface ModelSeries {
  /** As the entry has it. */
  readonly raw: string
  /** As the series show them. */
  readonly label: string
  readonly project: string
  readonly overflowing: readonly Series[]
  cost: Series | undefined
  prompt: Series | undefined
  cached: Series | undefined
  completion: Series | undefined
}

/** The series of one prompt version within a phase. */
export interface PromptVersion {
  /** As the entry has it. */
  readonly raw: string
  /** As the series show it. */
  readonly label: string
  readonly overflowing: readonly Series[]
  prompt: Series | undefined
  completion: Series | undefined
  reworkCompletionTokens: Series | undefined
  reworkErrorLogChars: Series | undefined
}

export interface Bundles {
  /** The bundle of an entry; `context` is its label. */
  of(attributed: AttributedEntry, context: string): Bundle
}

/** Bounds the memory that hostile label values can take. */
const MAX_BUNDLES = 10_000

export function createBundles(ledger: Ledger, overflow: Overflow): Bundles {
  /** By step, error type, context and status: hashing four short strings is cheaper than joining them first. */
  const known = new Map<string, Map<string, Map<string, Map<string, Bundle>>>>()
  let count = 0

  function create({ entry, phase, errorType }: AttributedEntry, step: string, context: string): Bundle {
    const overflowing: Series[] = []
    const stepLabel = overflow.admit('step', step, overflowing)
    const errorLabel = overflow.admit('error_type', errorType, overflowing)
    return {
      step: stepLabel,
      phase,
      errorType: errorLabel,
      context,
      overflowing,
      entries: ledger.series('entries', [stepLabel, phase, entry.status, errorLabel, context]),
      promptTokens: undefined,
      completionTokens: undefined,
      stepTokenCost: undefined,
      stepDuration: undefined,
      contextPart: undefined,
      instructionPart: undefined,
      otherPart: undefined,
      errorLogChars: undefined,
      reworkCostFactor: undefined,
      reworkCompletionTokens: undefined,
      reworkErrorLogChars: undefined,
      filesTouched: undefined,
      promptVersion: undefined,
      model: undefined,
    }
  }

  function remember(bundle: Bundle, step: string, errorType: string, status: string): void {
    if (count++ >= MAX_BUNDLES) {
      known.clear()
      count = 0
    }
    const byError = getOrInsert(known, step, () => new Map<string, Map<string, Map<string, Bundle>>>())
    const byContext = getOrInsert(byError, errorType, () => new Map<string, Map<string, Bundle>>())
    getOrInsert(byContext, bundle.context, () => new Map<string, Bundle>()).set(status, bundle)
  }

  return {
    of(attributed, context) {
      const { entry, phase, errorType } = attributed
      const step = shortName(entry.step)
      const found = known.get(step)?.get(errorType)?.get(context)?.get(entry.status)
      // The phase depends on the whole name of the step: names that differ past their 64th character may differ in it.
      if (found !== undefined && found.phase === phase) return found
      const bundle = create(attributed, step, context)
      remember(bundle, step, errorType, entry.status)
      return bundle
    },
  }
}
