import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { entry, lines } from '../setup/entries.ts'
import {
  createManualClock,
  NOON,
  openExporter,
  temporaryDirectory,
  type TestExporter,
} from '../setup/exporter.ts'

const RUNS = Number(process.env['MODEL_RUNS'] ?? 60)
const LONG = { timeout: 90_000 + RUNS * 1_000 }
const HOLD_MS = 30_000

const STEPS = [
  'scaffold',
  'implement_v1',
  'initial_verification',
  'fix_attempt_1',
  'final_verification',
] as const
const STATUSES = ['N/A', 'pass', 'fail'] as const

const OPERATIONS = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      run: fc.integer({ min: 0, max: 4 }),
      step: fc.constantFrom(...STEPS),
      status: fc.constantFrom(...STATUSES),
      tokens: fc.integer({ min: 0, max: 9_999 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('round' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('scrape' as const), lost: fc.boolean(), arrives: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.constantFrom(1_000, 16_000, 31_000) }),
  },
  // The process is killed: before, while or after it lingers.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('finish' as const) }) },
)
type Operation = typeof OPERATIONS extends fc.Arbitrary<infer T> ? T : never

/** Sums over all series of a metric. */
const sumOf = (samples: ReadonlyMap<string, number>, metric: string): number =>
  [...samples].filter(([key]) => key.startsWith(metric)).reduce((sum, [, value]) => sum + value, 0)

/** One Prometheus: what it has received, the first and the last value of each series. */
function createReader() {
  const first = new Map<string, number>()
  const last = new Map<string, number>()
  return {
    receive(samples: ReadonlyMap<string, number>): void {
      for (const [key, value] of samples) {
        if (!/^audit_(?!exporter).*_(total|count|sum|bucket)\b/.test(key)) continue
        if (!first.has(key)) first.set(key, value)
        expect(value, `${key} never falls`).toBeGreaterThanOrEqual(last.get(key) ?? 0)
        last.set(key, value)
      }
    },
    expectBornAtZero(): void {
      for (const [key, value] of first) expect(value, `${key} begins at zero`).toBe(0)
    },
    last: (metric: string): number => sumOf(last, metric),
  }
}

test(
  'through crashes, lost answers and ends at any moment, a reader gets each entry and one verdict for each build',
  LONG,
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(OPERATIONS, { maxLength: 40, size: 'max' }), async (operations) => {
        const directory = temporaryDirectory()
        const root = path.join(directory, 'builds')
        mkdirSync(root)
        const trace = path.join(root, 'audit_trace.jsonl')
        const clock = createManualClock(NOON)
        const flags = { baseline: 'none', newSeriesHold: `${HOLD_MS}ms`, buildTimeout: '36500d' }
        const open = (): TestExporter =>
          openExporter({ roots: [root], state: path.join(directory, 'state'), clock, flags })
        const reader = createReader()
        const runs = new Set<number>()
        let entries = 0
        let tokens = 0
        let exporter = open()

        async function apply(operation: Operation): Promise<void> {
          switch (operation.kind) {
            case 'append':
              runs.add(operation.run)
              entries++
              tokens += operation.tokens
              return appendFileSync(
                trace,
                lines(
                  entry({
                    workflow_run_id: `run-${operation.run}`,
                    step_name: operation.step,
                    validation_status: operation.status,
                    prompt_token_count: operation.tokens,
                    completion_token_count: 0,
                    timestamp: new Date(clock.wallMs()).toISOString(),
                  }),
                ),
              )
            case 'round':
              return exporter.round()
            case 'scrape': {
              const samples = await exporter.scrape({ lost: operation.lost })
              // Also what the exporter takes for lost may have arrived.
              if (!operation.lost || operation.arrives) reader.receive(samples)
              return undefined
            }
            case 'pass':
              return clock.advance(operation.ms)
            case 'crash':
              await exporter.crash()
              exporter = open()
              return exporter.firstPass()
            case 'finish':
              expect(await exporter.finish(true)).toBe(true)
              return expect(exporter.buildsInProgress()).toBe(0)
            default:
              throw new Error('no such operation')
          }
        }

        // What the build wrote before its exporter had looked at anything.
        const before = Math.max(
          0,
          operations.findIndex(({ kind }) => kind !== 'append'),
        )
        for (const operation of operations.slice(0, before)) await apply(operation)
        await exporter.firstPass()
        for (const operation of operations.slice(before)) await apply(operation)
        await exporter.finish(true)
        // The linger: scrapes, until the exporter says that everything was shown.
        for (let scrapes = 0; exporter.showing.shown().unshownSeries > 0; scrapes++) {
          expect(scrapes, 'the linger ends').toBeLessThan(6)
          reader.receive(await exporter.scrape())
          clock.advance(HOLD_MS)
        }
        reader.expectBornAtZero()
        expect(reader.last('audit_entries_total')).toBe(entries)
        expect(reader.last('audit_overall_entries_total')).toBe(entries)
        expect(reader.last('audit_context_entries_total')).toBe(entries)
        expect(reader.last('audit_tokens_total')).toBe(tokens)
        expect(reader.last('audit_overall_tokens_total')).toBe(tokens)
        expect(reader.last('audit_step_token_cost_sum')).toBe(tokens)
        expect(reader.last('audit_step_token_cost_count')).toBe(entries)
        expect(reader.last('audit_builds_total')).toBe(runs.size)
        expect(reader.last('audit_overall_builds_total')).toBe(runs.size)
        expect(reader.last('audit_build_tokens_total')).toBe(tokens)
        expect(exporter.showing.shown().unshownEntries).toBe(0)
        await exporter.crash()
      }),
      { numRuns: RUNS, interruptAfterTimeLimit: 60_000 + RUNS * 500 },
    )
  },
)
