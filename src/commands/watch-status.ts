import type { Clock } from '../clock.ts'
import { OUTCOMES } from '../attribute/build.ts'
import type { MetricKey } from '../metrics/catalogue.ts'
import type { Engine } from '../engine.ts'
import type { Health } from '../metrics/self.ts'
import { totalsOf, type Total } from '../metrics/totals.ts'
import type { StatusView } from '../serve/status.ts'
import { liveAudits } from './watch-audits.ts'

export interface StatusDeps {
  readonly version: string
  readonly startedAtMs: number
  readonly clock: Clock
  readonly engine: Engine
  readonly stateBytes: () => number | undefined
}

export interface Status {
  health(): Health
  view(): StatusView
  /** `undefined` if ready: the first pass is done and the state can be written. */
  notReadyReason(): string | undefined
  /** `undefined` once the first pass is done, also while the state cannot be written: committed totals stay available. */
  noScrapeReason(): string | undefined
}

/** The state of the exporter: a few numbers for every scrape, everything for the page. */
export function createStatus(deps: StatusDeps): Status {
  const { engine } = deps
  const { tail, ledger, commits } = engine

  const health = (): Health => {
    const files = { hot: 0, cold: 0, rotated: 0, failing: 0 }
    let pendingBytes = 0
    let lagBytes = 0
    for (const status of tail.status()) {
      files[status.condition]++
      pendingBytes += status.pendingBytes
      lagBytes += status.lagBytes
    }
    let series = 0
    for (const _ of ledger.all()) series++
    return {
      version: deps.version,
      ready: engine.ready() && commits.durable(),
      durable: commits.durable(),
      files,
      pendingBytes,
      lagBytes,
      series,
      stateBytes: deps.stateBytes(),
    }
  }

  const totals = (metric: MetricKey, ...group: string[]): Map<string, Total> =>
    totalsOf(ledger, metric, ...group)

  const record = (metric: MetricKey, label: string): Record<string, number> =>
    Object.fromEntries(
      [...totals(metric, label).values()].map(({ labels, value }) => [labels[0] ?? '', value]),
    )

  const byOutcome = (metric: MetricKey) => {
    const sums = record(metric, 'outcome')
    const of = (outcome: (typeof OUTCOMES)[number]): number => sums[outcome] ?? 0
    return {
      first_pass: of('first_pass'),
      after_rework: of('after_rework'),
      failed: of('failed'),
      abandoned: of('abandoned'),
    }
  }

  const total = (metric: MetricKey): number => totals(metric).get('')?.value ?? 0

  function steps(): StatusView['steps'] {
    const tokens = totals('tokens', 'step', 'phase')
    return [...totals('entries', 'step', 'phase')].map(([key, { labels, value }]) => ({
      step: labels[0] ?? '',
      phase: labels[1] ?? '',
      entries: value,
      tokens: tokens.get(key)?.value ?? 0,
    }))
  }

  /** Failures are counted at the validations; the tokens of repairing them at the rework steps that followed. */
  function errorTypes(): StatusView['errorTypes'] {
    const failures = [...totals('entries', 'error_type', 'status').values()].filter(
      ({ labels }) => labels[0] !== '' && labels[1] === 'fail',
    )
    const rework = [...totals('tokens', 'error_type', 'phase').values()].filter(
      ({ labels }) => labels[1] === 'rework',
    )
    return failures.map(({ labels: [errorType = ''], value }) => ({
      errorType,
      entries: value,
      reworkTokens: rework.find(({ labels }) => labels[0] === errorType)?.value ?? 0,
    }))
  }

  function contexts(): StatusView['contexts'] {
    const entries = totals('entries', 'context_hash')
    return engine.contexts.shown().map((context) => ({
      hash: context.hash,
      version: `v${context.version}`,
      firstSeenMs: context.firstSeenMs,
      entries: entries.get(context.hash)?.value ?? 0,
    }))
  }

  function files(): StatusView['files'] {
    return [...tail.status()].map(({ file, condition, pendingBytes, lagBytes }) => ({
      path: file.path,
      state: condition,
      sizeBytes: file.size,
      countedBytes: file.counted,
      rejectedBytes: file.rejected,
      skippedBytes: file.skipped,
      pendingBytes,
      lagBytes,
      line: file.line,
      lastReadAtMs: file.lastReadMs,
      ...(file.error === undefined ? {} : { error: file.error }),
    }))
  }

  function notReadyReason(): string | undefined {
    return commits.durable() ? noScrapeReason() : commits.fault()
  }

  const noScrapeReason = (): string | undefined =>
    engine.ready() ? undefined : 'the first pass over all files is not done yet'

  return {
    health,
    notReadyReason,
    noScrapeReason,
    view() {
      // The page shows committed totals only. If this commit fails, they are those of the last one.
      commits.commit()
      const reason = notReadyReason()
      return {
        version: deps.version,
        startedAtMs: deps.startedAtMs,
        nowMs: deps.clock.wallMs(),
        ready: reason === undefined,
        ...(reason === undefined ? {} : { notReadyReason: reason }),
        stateDurable: commits.durable(),
        roots: [...tail.roots()],
        files: files(),
        rejectedLines: record('rejectedLines', 'reason'),
        warnings: record('entryWarnings', 'reason'),
        entries: total('entries'),
        tokens: total('tokens'),
        builds: byOutcome('builds'),
        buildTokens: byOutcome('buildTokens'),
        buildsInProgress: engine.buildsInProgress(),
        reworkCompletionTokens: total('reworkCompletionTokens'),
        reworkErrorLogChars: total('reworkErrorLogChars'),
        steps: steps(),
        errorTypes: errorTypes(),
        contexts: contexts(),
        audits: liveAudits(engine),
      }
    },
  }
}
