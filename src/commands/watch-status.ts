import type { Clock } from '../clock.ts'
import type { Engine } from '../engine.ts'
import type { Health } from '../metrics/self.ts'
import type { FileView, StatusView } from '../serve/status.ts'
import type { FileStatus } from '../tail/tail.ts'
import { recentView } from './watch-builds.ts'
import { liveAudits } from './watch-audits.ts'
import { liveTotals } from './watch-totals.ts'

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
      // The first series of every state.
      stateCreatedMs: ledger.series('readBytes', ['counted']).bornMs,
      stateBytes: deps.stateBytes(),
    }
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
        files: [...tail.status()].map(fileView),
        ...liveTotals(engine),
        buildsInProgress: engine.buildsInProgress(),
        audits: liveAudits(engine),
        recent: recentView(engine),
      }
    },
  }
}

const fileView = ({ file, condition, pendingBytes, lagBytes }: FileStatus): FileView => ({
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
})
