import { describe, expect, test } from 'vitest'
import { sumOfLives } from '../../prometheus/lives.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { expectAnswers, expectSamples } from '../setup/promtool.ts'
import { COUNTER, increaseIn, series, stateOf } from './increase-setup.ts'

/** Scrapes are 15 s apart and the rules are evaluated every minute, as in production. */
describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  const expectIncrease = increaseIn(generation, (window, offset) =>
    sumOfLives([], { name: COUNTER, window, ...(offset !== undefined && { offset }) }),
  )

  test('series that live for less than a minute are counted exactly, however many there are', async () => {
    const lives = Array.from({ length: 20 }, (_, i) =>
      series(`pod-${i}`, `_x${100 + i} 0 ${100 + i} ${250 + i} ${1_001 + i} stale`),
    )
    const expected = lives.reduce((sum, _, i) => sum + 1_001 + i, 0)
    await expectIncrease('2h', lives, '1h59m', expected)
    await expectIncrease('30m', lives, '45m', expected)
  })

  test('windows that touch share nothing and miss nothing, also at the end of a life', async () => {
    const input = [series('a', '0+3x400'), series('b', '_x60 0 10 stale')]
    await expectIncrease('30m', input, '45m', 370)
    await expectIncrease('30m', input, '1h15m', 360)
    await expectIncrease('1h', input, '1h15m', 730)
    await expectIncrease('30m', input, '1h15m', 370, '30m')
    for (const at of [16, 24]) {
      await expectIncrease('10m', [input[1]!], `${at}m`, 10)
      await expectIncrease('30m', [input[1]!], `${at + 30}m`, 0)
    }
  })

  test('what stood in the files at the very first start is no increase, from the first scrape on', async () => {
    const input = [series('a', '_x100 5000x10 5007x200'), series('b', '0x400')]
    for (const at of ['25m', '26m', '27m']) await expectIncrease('20m', input, at, 0)
    await expectIncrease('20m', input, '30m', 7)
    await expectIncrease('1h', input, '1h10m', 7)
  })

  test('an exporter that was away misses nothing, wherever the window begins', async () => {
    // Away from minute 25 to 65.
    const input = [series('a', '10x99 25 stale _x158 40x20 45x80')]
    await expectIncrease('30m', input, '1h20m', 20)
    await expectIncrease('1h', input, '1h20m', 35)
    await expectIncrease('1h', input, '1h', 15)
  })

  test('an exporter that ended in the window is counted up to its end', async () => {
    const input = [series('a', '0x100 77 stale'), series('b', '0+1x800')]
    await expectIncrease('3h', input, '3h', 77 + 720)
    await expectIncrease('1h', input, '3h', 240)
  })

  test('a series that left the scrape and returns counts from where it was', async () => {
    const input = [series('a', '0x800'), series('a', '0x40 90x40 stale _x400 90x20 95x200', ',step="s"')]
    await expectIncrease('1h', input, '2h50m', 5)
    await expectIncrease('3h', input, '3h', 95)
  })

  test('what an exporter counted before and after it lost its state adds up', async () => {
    const state = stateOf('a', '100x120 200x279')
    const input = [series('a', '0x40 50x80 0x20 8x259'), state]
    await expectIncrease('1h', input, '1h', 58)
    await expectIncrease('90m', input, '90m', 58)
    // The window begins half an hour after the loss.
    await expectIncrease('30m', input, '90m', 0)
    // It begins while the fall is still recorded: before the next entries, and after them.
    await expectIncrease('57m', input, '90m', 8)
    await expectIncrease('50m', input, '90m', 0)
  })

  test('an exporter whose name another one had a while ago counts from its own beginning', async () => {
    // The first one ends at minute 25, the second one begins half an hour later.
    const input = [
      series('a', '900x99 1000 stale _x120 0 40x200'),
      stateOf('a', '100x100 stale _x120 200x200'),
    ]
    await expectIncrease('1h30m', input, '1h40m', 140)
    await expectIncrease('1h', input, '1h40m', 40)
    await expectIncrease('5m', input, '1h40m', 0)
  })

  test('windows of a few minutes that touch add up where a series begins, ends, and begins again', async () => {
    const lives = series('a', '_x63 0 3 7x30 9 stale _x90 9 12 20x100')
    const total = sumOfLives([], { name: COUNTER, window: '2m', offset: '7s' })
    await expectSamples(generation, {
      input: [lives],
      expr: `sum_over_time((${total})[80m:2m])`,
      at: '80m',
      samples: { '{}': 20 },
    })
  })

  test('without any rules, what is there at both ends is exact, and what began in between counts too little', async () => {
    const expr = sumOfLives([], { name: COUNTER, window: '1h' }).replaceAll(/:(kept|fell)/g, ':none')
    const input = [series('a', '0+1x400'), series('b', '_x100 5+1x300')]
    // Of the second one the last ten minutes.
    await expectSamples(generation, { input, expr, at: '1h10m7s', samples: { '{}': 240 + 39 } })
  })

  test('windows that begin or end while Prometheus was down share nothing and miss nothing', async () => {
    // Down from minute 40 to 90. No rule sees it go: it is not the exporter that was away.
    const input = [series('a', '0+1x160 _x199 400+1x200'), { series: 'audit_lives:none', values: '0x600' }]
    const total = (window: string, offset: string) =>
      sumOfLives([], { name: COUNTER, window, offset }).replaceAll(/:(kept|fell|evaluated)/g, ':none')
    await expectAnswers(generation, input, [
      { expr: total('1h', '37s'), at: '2h20m', samples: { '{}': 597 - 160 } },
      { expr: total('1h', '37s'), at: '1h20m', samples: { '{}': 160 - 77 } },
      { expr: `sum_over_time((${total('10m', '37s')})[2h:10m])`, at: '2h20m1s', samples: { '{}': 597 - 77 } },
    ])
  })

  test('where Prometheus was down for hours when a window began, what was kept long before is no beginning', async () => {
    // Down from 2 h to 4 h; the value was kept at the start only.
    const input = [
      series('a', '0+1x479 _x480 1000+1x300'),
      { series: `${COUNTER}:given{job="j",instance="a"}`, values: '0x7' },
      { series: 'audit_lives:given', values: '1x479 _x480 1x300' },
    ]
    const expr = sumOfLives([], { name: COUNTER, window: '90m' })
      .replaceAll(/:(kept|evaluated)/g, ':given')
      .replaceAll(':fell', ':none')
    // Of what came after, the last ten minutes: less than the truth, never more.
    await expectSamples(generation, { input, expr, at: '5h7s', samples: { '{}': 39 } })
  })

  test('the value of a series is kept where it begins, and every six hours', async () => {
    const kept = (at: string, value?: number) => ({
      expr: `sum(${COUNTER}:kept)`,
      at,
      samples: value === undefined ? {} : { '{}': value },
    })
    await expectAnswers(
      generation,
      [series('a', '_x100 0+1x2000')],
      [kept('28m', 0), kept('40m'), kept('5h59m'), kept('6h2m', 6 * 240 + 8 - 100), kept('6h10m')],
    )
  })

  test('to rules that have only just begun every series is new', async () => {
    const kept = (at: string, samples: Readonly<Record<string, number>>) => ({
      expr: `count(${COUNTER}:kept)`,
      at,
      samples,
    })
    const input = [series('a', '0+1x400')]
    await expectAnswers(
      generation,
      input,
      [kept('30m', { '{}': 1 }), kept('33m', { '{}': 1 }), kept('40m', {})],
      {
        sinceMinute: 30,
      },
    )
  })

  test('imported history counts from its beginning', async () => {
    const imported = [
      series('a', '_x100 0 _x15 40 _x15 70 _x15 70 _x200 70x100'),
      { series: `${COUNTER}:kept{job="j",instance="a"}`, values: '_x100 0' },
    ]
    await expectIncrease('3h', imported, '1h50m', 70)
  })

  test('a group without any increase has no series, unless zeros are asked for', async () => {
    const input = [series('a', '5x240'), series('b', '5x200 8x40')]
    const increase = { name: COUNTER, window: '30m' }
    const expectGroups = (expr: string, samples: Readonly<Record<string, number>>) =>
      expectSamples(generation, { input, expr, at: '1h', samples })
    await expectGroups(sumOfLives(['instance'], increase), { '{instance="b"}': 3 })
    await expectGroups(sumOfLives(['instance'], { ...increase, zeros: true }), {
      '{instance="a"}': 0,
      '{instance="b"}': 3,
    })
  })
})

test('no part of the expression reads more of a counter than an hour', () => {
  const expr = sumOfLives(['error_type'], { name: COUNTER, window: '90d', offset: '90d' })
  const windows = [...expr.matchAll(/audit_tokens_total(?:\{[^}]*\})?\[(\w+)\]/g)].map(([, window]) => window)
  expect(windows.length).toBeGreaterThan(0)
  expect(new Set(windows)).toEqual(new Set(['1h', '10m']))
})
