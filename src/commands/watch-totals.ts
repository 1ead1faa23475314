import { OUTCOMES, type Outcome } from '../attribute/build.ts'
import type { Engine } from '../engine.ts'
import type { MetricKey } from '../metrics/catalogue.ts'
import type { Ledger } from '../metrics/ledger.ts'
import { totalsOf } from '../metrics/totals.ts'
import type { StatusView } from '../serve/status.ts'

type Totals = Pick<
  StatusView,
  | 'rejectedLines'
  | 'warnings'
  | 'entries'
  | 'tokens'
  | 'builds'
  | 'buildTokens'
  | 'reworkCompletionTokens'
  | 'reworkErrorLogChars'
  | 'steps'
  | 'errorTypes'
  | 'contexts'
>

/** The committed totals that the page shows. */
export function liveTotals({ ledger, contexts }: Engine): Totals {
  return {
    rejectedLines: record(ledger, 'rejectedLines', 'reason'),
    warnings: record(ledger, 'entryWarnings', 'reason'),
    entries: total(ledger, 'entries'),
    tokens: total(ledger, 'tokens'),
    builds: byOutcome(ledger, 'builds'),
    buildTokens: byOutcome(ledger, 'buildTokens'),
    reworkCompletionTokens: total(ledger, 'reworkCompletionTokens'),
    reworkErrorLogChars: total(ledger, 'reworkErrorLogChars'),
    steps: stepsOf(ledger),
    errorTypes: errorTypesOf(ledger),
    contexts: contextsOf(ledger, contexts),
  }
}

const total = (ledger: Ledger, metric: MetricKey): number => totalsOf(ledger, metric).get('')?.value ?? 0

const record = (ledger: Ledger, metric: MetricKey, label: string): Record<string, number> =>
  Object.fromEntries(
    [...totalsOf(ledger, metric, label).values()].map(({ labels, value }) => [labels[0] ?? '', value]),
  )

function byOutcome(ledger: Ledger, metric: MetricKey): Record<Outcome, number> {
  const sums = record(ledger, metric, 'outcome')
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, sums[outcome] ?? 0])) as Record<
    Outcome,
    number
  >
}

function stepsOf(ledger: Ledger): Totals['steps'] {
  const tokens = totalsOf(ledger, 'tokens', 'step', 'phase')
  return [...totalsOf(ledger, 'entries', 'step', 'phase')].map(([key, { labels, value }]) => ({
    step: labels[0] ?? '',
    phase: labels[1] ?? '',
    entries: value,
    tokens: tokens.get(key)?.value ?? 0,
  }))
}

/** Failures are counted at the validations; the tokens of repairing them at the rework steps that followed. */
function errorTypesOf(ledger: Ledger): Totals['errorTypes'] {
  const failures = [...totalsOf(ledger, 'entries', 'error_type', 'status').values()].filter(
    ({ labels }) => labels[0] !== '' && labels[1] === 'fail',
  )
  const rework = [...totalsOf(ledger, 'tokens', 'error_type', 'phase').values()].filter(
    ({ labels }) => labels[1] === 'rework',
  )
  return failures.map(({ labels: [errorType = ''], value }) => ({
    errorType,
    entries: value,
    reworkTokens: rework.find(({ labels }) => labels[0] === errorType)?.value ?? 0,
  }))
}

function contextsOf(ledger: Ledger, contexts: Engine['contexts']): Totals['contexts'] {
  const entries = totalsOf(ledger, 'entries', 'context_hash')
  return contexts.shown().map((context) => ({
    hash: context.hash,
    version: `v${context.version}`,
    firstSeenMs: context.firstSeenMs,
    entries: entries.get(context.hash)?.value ?? 0,
  }))
}
