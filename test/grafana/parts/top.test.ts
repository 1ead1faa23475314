import { describe, test } from 'vitest'
import { count } from '../../../grafana/parts/promql.ts'
import { topAndOther } from '../../../grafana/parts/top.ts'
import { GENERATIONS } from '../../setup/generations.ts'
import { expectSamples } from '../../setup/promtool.ts'

const entries = (errorType: string, increase: number) => ({
  series: `audit_entries_total{error_type="${errorType}"}`,
  values: `0x100 ${increase}x200`,
})

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  const [top, other] = topAndOther(3, 'error_type', (selection) => count('entries', selection), {
    window: '1h',
  }).map(({ expr }) => expr.replaceAll('$job', '.*'))

  test.each([
    ['more values than bars', [60, 50, 40, 30, 20], [60, 50, 40], 50 + 7],
    ['equal values at the last bar', [60, 50, 40, 40, 40], [60, 50], 40 + 40 + 7],
    ['fewer values than bars', [60, 50], [60, 50], 7],
    ['none but those beyond the maximum number', [], [], 7],
  ] as const)(
    '%s: the bars are the highest, and with the rest they are the sum',
    async (_, given, bars, rest) => {
      // Those that the exporter counted beyond its maximum number of values are in the rest, never a bar.
      const input = [...given.map((increase, index) => entries(`E${index}`, increase)), entries('_other', 7)]
      const samples = Object.fromEntries(bars.map((value, index) => [`{error_type="E${index}"}`, value]))
      // Which of equal values is shown is open.
      const shown = bars.length === 2 && given.length > 2 ? `${top} != 40` : top!
      await expectSamples(generation, { input, expr: shown, at: '1h', samples })
      await expectSamples(generation, { input, expr: other!, at: '1h', samples: { '{}': rest } })
    },
  )
})
