import { DatabaseSync } from 'node:sqlite'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { createRandom, type Random } from '../../src/simulate/random.ts'
import { parseExposition } from '../setup/exposition.ts'
import { freePort } from '../setup/free-port.ts'
import { start, until, type Started } from '../setup/process.ts'
import { startPrometheus, type Prometheus } from '../setup/prometheus.ts'
import type { Fault } from './daemon.ts'
import { compareIncreases, compareTotals, type Mismatch } from './judge.ts'
import { MAX_LINE_BYTES } from './lines.ts'
import { createTraces, riskStep } from './traces.ts'
import { countTruth, type Truth } from './truth.ts'

export interface ChaosOptions {
  readonly rounds: number
  readonly seed: string
  /** The program that is tormented; the exporter wired to deadly faults. */
  readonly daemon?: string
  readonly onRound?: (report: ChaosReport) => void
}

export interface ChaosReport {
  rounds: number
  /** By SIGKILL from outside at a random moment, by itself at a chosen point, and stops in good order. */
  kills: { outside: number; chosen: number; stops: number }
  files: number
  lines: number
  linesAtRisk: number
  /** Of these, the ones that were still read before their file was gone. */
  linesAtRiskRead: number
  series: number
  samples: number
  readonly mismatches: Mismatch[]
}

const MAIN = path.join(import.meta.dirname, 'daemon.ts')
const HOLD = '5s'

/**
 * Torments a real exporter that two real Prometheus scrape, while files are written, renamed, cut off and
 * deleted; then compares totals and increases with what was written. What is done follows from the seed
 * alone; when a kill from outside hits, and in which order two processes get on, does not.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'chaos-'))
  const root = path.join(directory, 'files')
  const state = path.join(directory, 'state')
  fs.mkdirSync(root)
  const address = `127.0.0.1:${await freePort()}`
  const report: ChaosReport = {
    rounds: 0,
    kills: { outside: 0, chosen: 0, stops: 0 },
    files: 0,
    lines: 0,
    linesAtRisk: 0,
    linesAtRiskRead: 0,
    series: 0,
    samples: 0,
    mismatches: [],
  }
  let daemon: Started | undefined
  const servers: Prometheus[] = []
  const traces = createTraces(
    root,
    createRandom(`${options.seed}/lines`),
    options.rounds,
    () => report.rounds / options.rounds,
  )

  try {
    traces.baseline()
    launch(null)
    await synchronise()
    const baseline = countTruth(
      traces.countable(() => 0),
      false,
    )
    report.mismatches.push(...compareTotals('first scrape', baseline, await scrape()))
    for (const job of ['first', 'second'])
      servers.push(await startPrometheus({ targets: { [job]: address } }))

    while (report.rounds < options.rounds && report.mismatches.length === 0) {
      await round(createRandom(`${options.seed}/${report.rounds + 1}`), report.rounds === 0)
      report.rounds++
      options.onRound?.(report)
    }
    await conclude(baseline)
    return report
  } finally {
    await daemon?.stop('SIGKILL')
    for (const server of servers) await server.stop()
    fs.rmSync(directory, { recursive: true, force: true })
  }

  function launch(fault: Fault | null, buildTimeout = '1h'): void {
    daemon = start(
      process.execPath,
      [
        options.daemon ?? MAIN,
        'watch',
        root,
        '--listen',
        address,
        '--state',
        state,
        '--scan-interval',
        '1s',
        '--new-series-hold',
        HOLD,
        '--max-line-bytes',
        String(MAX_LINE_BYTES),
        '--max-steps',
        '10000',
        '--build-timeout',
        buildTimeout,
      ],
      { CHAOS_FAULT: JSON.stringify(fault) },
    )
  }

  function alive(): boolean {
    return daemon?.child.exitCode === null && daemon.child.signalCode === null
  }

  async function scrape(): Promise<Map<string, number>> {
    const response = await fetch(`http://${address}/metrics`)
    const text = await response.text()
    if (!response.ok) throw new Error(`GET /metrics: ${response.status} ${text}`)
    return parseExposition(text)
  }

  /** Waits until the exporter has committed all that stands in the files; false where it ended, or never did. */
  async function synchronise(): Promise<boolean> {
    let last = { got: 0, expected: 0 }
    const read = await until('the exporter has read everything', async () => {
      if (!alive()) return false
      const scraped = await scrape()
      last = { got: seen(scraped), expected: traces.expectedBytes(readAtRisk(scraped)) }
      return last.got === last.expected || undefined
    }).catch(() => {
      const where = `not caught up in round ${report.rounds + 1}`
      report.mismatches.push({ where, series: `bytes seen; not known: ${unknownFiles()}`, ...last })
      return false
    })
    if (read) traces.allKnown()
    return read
  }

  async function round(random: Random, running: boolean): Promise<void> {
    const fault = report.rounds % 2 === 1 ? chooseFault(random) : null
    if (!running) launch(fault)
    // Long enough for a chosen fault to come; without one, now and then for new series to be let go.
    const actions = fault !== null || random.chance(0.25) ? random.integer(60, 110) : random.integer(5, 40)
    for (let i = 0; i < actions && alive(); i++) {
      await wait(random.integer(0, 80))
      if (random.chance(0.08)) {
        traces.finishLines()
        if (await synchronise()) traces.destroy(random)
      } else traces.harmless(random, isDurable)
    }
    await end(random)
    inspectState()
    for (let i = random.integer(0, 5); i > 0; i--) traces.harmless(random, isDurable)
  }

  async function end(random: Random): Promise<void> {
    const gently = random.chance(0.1)
    const ended = !alive()
    const how = await daemon?.stop(gently ? 'SIGTERM' : 'SIGKILL')
    if (ended) report.kills.chosen++
    else if (gently) report.kills.stops++
    else report.kills.outside++
    // A process that is still starting knows no good order yet.
    if (ended ? how !== 'SIGKILL' : gently && how !== 0 && how !== 'SIGTERM') {
      throw new Error(`the exporter ended with ${String(how)}:\n${daemon?.output() ?? ''}`)
    }
  }

  /** Whether a crash at this moment would leave a state that knows the file. */
  function isDurable(file: string): boolean {
    const { dev, ino } = fs.statSync(file, { bigint: true })
    try {
      return withCopy((database) => {
        const found = database
          .prepare('SELECT id FROM files WHERE path = ? AND device = ? AND inode = ?')
          .get(file, String(dev), String(ino))
        return found !== undefined
      })
    } catch {
      // Copied in the middle of a checkpoint.
      return false
    }
  }

  /** Files that the exporter does not know, to say what was missed. */
  function unknownFiles(): string {
    const standing = traces.contents.filter(({ gone }) => !gone)
    const unknown = standing.filter(({ path: at }) => !isDurable(at))
    return JSON.stringify(
      unknown.map(({ path: at, known, lines: [first] }) => ({
        at: path.relative(root, at),
        known,
        bornMs: fs.statSync(at).birthtimeMs,
        first: first?.bytes.toString('utf8', 0, 100),
      })),
    )
  }

  function withCopy<T>(use: (database: DatabaseSync) => T): T {
    const copy = path.join(directory, 'copy')
    fs.rmSync(copy, { recursive: true, force: true })
    fs.cpSync(state, copy, { recursive: true })
    const database = new DatabaseSync(path.join(copy, 'state.sqlite'))
    try {
      return use(database)
    } finally {
      database.close()
    }
  }

  /** What a crash left on disk is whole, and the bytes of every file add up. */
  function inspectState(): void {
    withCopy((database) => {
      const [check] = database.prepare('PRAGMA quick_check').all()
      const wrong = database
        .prepare('SELECT path FROM files WHERE position <> counted + rejected + skipped OR pending < 0')
        .all()
      if (check?.['quick_check'] === 'ok' && wrong.length === 0) return
      report.mismatches.push({
        where: `state after round ${report.rounds + 1}`,
        series: JSON.stringify({ check, wrong }),
        expected: 0,
        got: wrong.length,
      })
    })
  }

  async function conclude(baseline: Truth): Promise<void> {
    launch(null)
    traces.finishLines()
    if (!(await synchronise()) && !alive()) throw new Error(`it ended:\n${daemon?.output() ?? ''}`)
    await daemon?.stop('SIGTERM')
    // Every build that is still open times out at once.
    launch(null, '1s')
    let truth = baseline
    let final = new Map<string, number>()
    const differences = (): Mismatch[] => compareTotals('/metrics', truth, final)
    await until('new series are let go and all builds are closed', async () => {
      final = await scrape()
      truth = countTruth(traces.countable(readAtRisk(final)), true)
      return differences().length === 0 || undefined
    }).catch(() => undefined)
    report.mismatches.push(...differences())
    report.series = final.size
    report.lines = traces.lineCount()
    report.files = traces.contents.length
    for (const { risked } of traces.contents) {
      report.linesAtRisk += risked?.lines.length ?? 0
      report.linesAtRiskRead += risked === undefined ? 0 : readAtRisk(final)(risked.slot)
    }
    for (const server of servers) {
      const { samples, mismatches } = await compareIncreases(server, baseline, truth, final)
      report.samples += samples
      report.mismatches.push(...mismatches)
    }
  }
}

/** Bytes that the exporter says it has seen. */
const seen = (scraped: ReadonlyMap<string, number>): number =>
  ['counted', 'rejected', 'skipped']
    .map((result) => scraped.get(`audit_exporter_read_bytes_total{result="${result}"}`) ?? 0)
    .reduce((a, b) => a + b, scraped.get('audit_exporter_pending_bytes') ?? 0)

/** How many lines of a slot's burst have been counted: its series stands at 1 from the start on. */
const readAtRisk =
  (scraped: ReadonlyMap<string, number>) =>
  (slot: number): number =>
    (scraped.get(
      `audit_entries_total{context_hash="unknown",error_type="",phase="other",status="N/A",step="${riskStep(slot)}"}`,
    ) ?? 1) - 1

function chooseFault(random: Random): Fault {
  const point = random.pick([
    'read',
    'before commit',
    'within commit',
    'within commit',
    'before return',
    'after commit',
  ] as const)
  const nth = random.chance(0.3) ? 1 : random.integer(2, point === 'read' ? 40 : 8)
  return { point, nth, row: random.integer(1, 15) }
}
