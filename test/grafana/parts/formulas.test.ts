import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bound,
  calculations,
  type Formula,
  TOO_FEW,
  unlessFew,
  zScore,
} from '../../../grafana/parts/formulas.ts'
import { VERDICT_LOOK } from '../../../grafana/parts/looks.ts'
import { shownRows, type Transformation } from '../../setup/table-panel.ts'

const NAMES = ['x', 'n', 'x before', 'n before']

/** The value that the panel's transformations calculate. */
function value(formula: Formula, ...numbers: readonly number[]): number {
  const steps = calculations(new Map([['result', formula]]), (name) => name) as Transformation[]
  const answers = numbers.map((number, index) => ({
    refId: NAMES[index]!,
    samples: [{ labels: {}, value: number }],
  }))
  const named = steps.map((step) => JSON.parse(renamed(JSON.stringify(step))) as Transformation)
  return shownRows(answers, named)[0]!['result'] as number
}
/** Replaces the names by those that Grafana gives to the values of several queries. */
const renamed = (text: string): string =>
  text.replaceAll(/"(x|n|x before|n before)"/g, (_, name: string) => `"Value #${name}"`)

const SAMPLES = [
  { part: 'x', whole: 'n' },
  { part: 'x before', whole: 'n before' },
] as const
const better = zScore(...SAMPLES, 'more')
const rarer = zScore(...SAMPLES, 'less')

/** The text that a table shows for a value. */
function words(shown: number): string | undefined {
  const mappings = VERDICT_LOOK.find(({ id }) => id === 'mappings')!.value as {
    type: string
    options: { from?: number | null; to?: number | null; result: { text: string } }
  }[]
  if (Number.isNaN(shown)) return mappings.find(({ type }) => type === 'special')?.options.result.text
  return mappings.find(
    ({ type, options: { from, to } }) =>
      type === 'range' && shown >= (from ?? -Infinity) && shown <= (to ?? Infinity),
  )?.options.result.text
}

test('two samples of 100 % or two of 0 % give the verdict unclear', () => {
  expect(value(better, 30, 30, 40, 40)).toBe(0)
  expect(value(rarer, 0, 30, 0, 40)).toBe(0)
  expect(words(value(better, 30, 30, 40, 40))).toBe('unclear')
})

test.each([
  ['▲ better', better, [90, 100, 50, 100]],
  ['▼ worse', better, [50, 100, 90, 100]],
  ['▲ better', rarer, [10, 100, 40, 100]],
  ['▼ worse', rarer, [40, 100, 10, 100]],
  ['▲ better', better, [40, 40, 0, 40]],
  ['unclear', better, [51, 100, 50, 100]],
  ['insufficient data', better, [19, 19, 0, 400]],
  ['insufficient data', rarer, [0, 400, 19, 19]],
  ['insufficient data', better, [0, 3, 3, 3]],
  ['–', better, [30, 40, 0, 0]],
] as const)('the verdict is %s', (verdict, formula, numbers) => {
  expect(words(value(formula, ...numbers))).toBe(verdict)
})

const sample = fc
  .integer({ min: 20, max: 100_000 })
  .chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)))

test('the z-score is that of the two-proportion test for any counts', () => {
  fc.assert(
    fc.property(sample, sample, ([x, n], [x0, n0]) => {
      const p = (x + x0) / (n + n0)
      const error = Math.sqrt(p * (1 - p) * (1 / n + 1 / n0))
      const expected = error === 0 ? 0 : (x / n - x0 / n0) / error
      expect(value(better, x, n, x0, n0)).toBeCloseTo(expected, 8)
      expect(value(rarer, x, n, x0, n0)).toBeCloseTo(-expected, 8)
    }),
  )
})

test('the bounds are those of the Wilson interval and stay between 0 and 1', () => {
  // By R: binom::binom.wilson(10, 20), (0, 25), (25, 25)
  expect(value(bound('lower', 'x', 'n'), 10, 20)).toBeCloseTo(0.2993, 4)
  expect(value(bound('upper', 'x', 'n'), 10, 20)).toBeCloseTo(0.7007, 4)
  fc.assert(
    fc.property(sample, ([x, n]) => {
      const [lower, upper] = [value(bound('lower', 'x', 'n'), x, n), value(bound('upper', 'x', 'n'), x, n)]
      expect(lower).toBeGreaterThanOrEqual(0)
      expect(upper).toBeLessThanOrEqual(1 + 1e-12)
      expect(lower).toBeLessThanOrEqual(x / n + 1e-12)
      expect(upper).toBeGreaterThanOrEqual(x / n - 1e-12)
    }),
  )
  expect(value(bound('lower', 'x', 'n'), 0, 0)).toBeNaN()
})

test('a value is unchanged from 20 samples on and out of range below', () => {
  const formula = unlessFew('x', 'n', 'n before')
  expect(value(formula, 0.25, 20, 0, 20)).toBe(0.25)
  expect(value(formula, 0.25, 19, 0, 20)).toBeGreaterThan(TOO_FEW / 2)
  expect(value(formula, -0.25, 20, 0, 0)).toBeGreaterThan(TOO_FEW / 2)
})
