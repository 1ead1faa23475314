import { describe, test } from 'vitest'
import { count } from '../../../grafana/parts/promql.ts'
import { GENERATIONS } from '../../setup/generations.ts'
import { expectSamples, type Series } from '../../setup/promtool.ts'

/** The sum of all bars of a width over 5 hours. The bars end `offset` seconds before a scrape; scrapes are 15 s apart. */
function sumOfBars(minutes: number, offset = 7): string {
  const window = `${minutes}m`
  const bars = count('builds', { by: ['outcome'], window, offset: `${offset}s` }).replaceAll('$job', '.*')
  return `sum_over_time((${bars})[5h:${minutes}m])`
}
const series = (outcome: string, values: string): Series => ({
  series: `audit_builds_total{outcome="${outcome}"}`,
  values,
})

/** One more every 29 scrapes, from the first number to the last. */
const rising = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}x28`).join(' ')

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  const expectBars = (expr: string, input: readonly Series[], expected: Readonly<Record<string, number>>) => {
    const samples = Object.fromEntries(
      Object.entries(expected).map(([outcome, value]) => [`{outcome="${outcome}"}`, value]),
    )
    return expectSamples(generation, { input, expr, at: '5h', samples })
  }

  test.each([
    [1, 15],
    [1, 7],
    [5, 15],
    [5, 7],
  ])('bars of %d minutes that end %d s before a scrape add up to the total', async (minutes, offset) => {
    await expectBars(
      sumOfBars(minutes, offset),
      [series('first_pass', rising(0, 40)), series('failed', `_x400 0x3 ${rising(2, 20)}`)],
      { first_pass: 40, failed: 20 },
    )
  })

  test('the baseline of the very first start is in no bar', async () => {
    await expectBars(sumOfBars(1), [series('first_pass', `_x100 ${rising(500, 520)}`)], { first_pass: 20 })
  })

  test('a gap in the scrapes that is shorter than a bar loses nothing', async () => {
    const values = `${rising(0, 10)} stale _x12 ${rising(15, 35)}`
    await expectBars(sumOfBars(5), [series('first_pass', values)], { first_pass: 35 })
  })

  test('bars narrower than the four minutes between the samples of imported history lose nothing', async () => {
    const everyFourMinutes = Array.from({ length: 70 }, (_, index) => `${index} _x14`).join(' ')
    await expectBars(sumOfBars(1), [series('first_pass', everyFourMinutes)], { first_pass: 69 })
  })

  test('a counter that falls, as after a lost state, gives no negative bar', async () => {
    const values = `${rising(0, 10)} ${rising(3, 13)}`
    await expectBars(sumOfBars(1), [series('first_pass', values)], { first_pass: 20 })
  })
})
