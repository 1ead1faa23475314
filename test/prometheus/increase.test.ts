import { describe, expect, test } from 'vitest'
import { exactIncrease, sumOfIncrease } from '../../prometheus/increase.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { expectSamples } from '../setup/promtool.ts'
import { COUNTER, increaseIn, series, stateOf } from './increase-setup.ts'

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  const expectIncrease = increaseIn(
    generation,
    (window, offset) =>
      `sum(${exactIncrease({ name: COUNTER, window, ...(offset !== undefined && { offset }) })})`,
  )

  test('series that live for less than a minute are counted exactly, however many there are', async () => {
    const lives = Array.from({ length: 20 }, (_, i) =>
      series(`pod-${i}`, `_x${10 + i} 0 ${100 + i} ${250 + i} ${1_001 + i} stale`),
    )
    const expected = lives.reduce((sum, _, i) => sum + 1_001 + i, 0)
    await expectIncrease('1h', lives, '30m', expected)
  })

  test('windows that touch share nothing and miss nothing', async () => {
    const input = [series('a', '0+3x400')]
    await expectIncrease('30m', input, '1h', 360)
    await expectIncrease('30m', input, '1h', 360, '30m')
    await expectIncrease('1h', input, '1h', 720)
  })

  test('what stood in the files at the very first start is no increase', async () => {
    await expectIncrease('1h', [series('a', '_x20 5000x10 5007x50')], '20m', 7)
  })

  test('an exporter that was away for less than an hour at the beginning of the window misses nothing', async () => {
    // Away from minute 25 to 45, across the beginning of the window at minute 30.
    await expectIncrease('30m', [series('a', '10x100 stale _x78 25x20 30x80')], '1h', 20)
  })

  test('after a lost state what is counted anew is added to what was counted before', async () => {
    const state = stateOf('a', '100x120 200x119')
    await expectIncrease('1h', [series('a', '0x40 50x80 0x20 8x99'), state], '1h', 58)
    // Of another exporter, whose state goes on, nothing is extrapolated.
    await expectIncrease('1h', [series('b', '_x100 0 7 9 stale'), state], '1h', 9)
  })

  test('a group without any increase has no series, unless zeros are asked for', async () => {
    const input = [series('a', '5x240'), series('b', '5x200 8x40')]
    const increase = { name: COUNTER, window: '30m' }
    const expectGroups = (expr: string, samples: Readonly<Record<string, number>>) =>
      expectSamples(generation, { input, expr, at: '1h', samples })
    await expectGroups(sumOfIncrease(['instance'], increase), { '{instance="b"}': 3 })
    await expectGroups(sumOfIncrease(['instance'], { ...increase, zeros: true }), {
      '{instance="a"}': 0,
      '{instance="b"}': 3,
    })
  })
})

test('twice the time range is written in two units, because PromQL and Grafana cannot add durations', () => {
  const expr = exactIncrease({ name: 'x', window: '$__range', offset: '$__range' })
  expect(expr).toContain('x[1h] offset ${__range_s}s${__range_ms}ms')
  expect(exactIncrease({ name: 'x', window: '7d', offset: '1d' })).toContain('x[1h] offset 8d')
  expect(exactIncrease({ name: 'x', window: '15m' })).toContain('[75m]')
  expect(() => exactIncrease({ name: 'x', window: '$window', offset: '$other' })).toThrow(RangeError)
})
