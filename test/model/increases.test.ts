import * as fc from 'fast-check'
import { describe, test } from 'vitest'
import { sumOfLives } from '../../prometheus/lives.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { expectAnswers, type Series } from '../setup/promtool.ts'

/**
 * Random lives of exporters and their series: they begin with a baseline or at zero, count, are away, return, and end. What
 * each scrape adds to its series is known, so the increase over any window is the sum of what was added in it.
 */

const RUNS = Math.ceil(Number(process.env['MODEL_RUNS'] ?? 60) / 6)
const SCRAPES = 500
const SCRAPE_SECONDS = 15
const COUNTER = 'audit_tokens_total'

interface Added {
  readonly scrape: number
  readonly amount: number
}

const EXPORTER = fc.record({
  /** Scrapes while it is away, scrapes while it is there, and so on. */
  phases: fc.array(fc.oneof(fc.integer({ min: 2, max: 8 }), fc.integer({ min: 9, max: 200 })), {
    minLength: 2,
    maxLength: 6,
  }),
  baseline: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 900 })),
  series: fc.array(
    fc.record({
      /** Its first scrape among those at which the exporter is there; 0 is the exporter's first one. */
      birth: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 150 })),
      /** What each scrape adds, over and over. */
      steps: fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 })), {
        minLength: 1,
        maxLength: 7,
      }),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})
type Exporter = typeof EXPORTER extends fc.Arbitrary<infer T> ? T : never

const WINDOW = fc.record({
  /** Ends this many scrapes after something began or ended. */
  after: fc.tuple(fc.nat(), fc.oneof(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 80 }))),
  minutes: fc.constantFrom(1, 2, 5, 11, 17, 30, 75, 180),
})

/** When an exporter is there: whether, for each scrape. */
const presenceOf = ({ phases }: Exporter): boolean[] =>
  phases
    .flatMap((length, index) => Array.from({ length }, () => index % 2 === 1))
    .concat(Array.from({ length: SCRAPES }, () => false))
    .slice(0, SCRAPES)

interface Counted {
  readonly series: Series[]
  readonly added: Added[]
  /** The scrapes at which a series begins or has ended. */
  readonly events: number[]
}

function seriesOf(exporter: Exporter, name: string): Counted {
  const presence = presenceOf(exporter)
  const added: Added[] = []
  const events: number[] = []
  const series = exporter.series.map(({ birth, steps }, index) => {
    const tokens: string[] = []
    let [value, seen, shown] = [birth === 0 ? exporter.baseline : 0, -1, false]
    for (const [scrape, isThere] of presence.entries()) {
      const isShown = isThere && ++seen >= birth
      if (isShown !== shown) events.push(scrape)
      if (!isShown) {
        tokens.push(shown ? 'stale' : '_')
        shown = false
        continue
      }
      // At its first scrape it is shown as it begins.
      const amount = seen === birth ? 0 : steps[seen % steps.length]!
      value += amount
      added.push({ scrape, amount })
      tokens.push(String(value))
      shown = true
    }
    return {
      series: `${COUNTER}{job="j",instance="${name}",step="s${index}"}`,
      values: tokens.join(' '),
    }
  })
  return { series, added, events }
}

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  test(
    'the increase over any window is what was counted in it, whatever begins, ends or returns',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(EXPORTER, { minLength: 1, maxLength: 4 }),
          fc.array(WINDOW, { minLength: 60, maxLength: 60 }),
          async (exporters, windows) => {
            const all = exporters.map((exporter, index) => seriesOf(exporter, `e${index}`))
            const added = all.flatMap((one) => one.added)
            const events = all.flatMap((one) => one.events)
            const answers = windows.map(({ after: [which, scrapes], minutes }) => {
              const end = (events[which % events.length] ?? 0) + scrapes
              // Between two scrapes, so that it does not matter on which side a boundary is.
              const endSeconds = end * SCRAPE_SECONDS + 7
              const total = added
                .filter(({ scrape }) => {
                  const seconds = scrape * SCRAPE_SECONDS
                  return seconds <= endSeconds && seconds > endSeconds - minutes * 60
                })
                .reduce((sum, { amount }) => sum + amount, 0)
              const expr = `${sumOfLives([], { name: COUNTER, window: `${minutes}m` })} > 0`
              return { expr, at: `${endSeconds}s`, samples: total > 0 ? { '{}': total } : {} }
            })
            await expectAnswers(
              generation,
              all.flatMap((one) => one.series),
              answers,
            )
          },
        ),
        { numRuns: RUNS, endOnFailure: true },
      )
    },
    90_000 + RUNS * 20_000,
  )
})
