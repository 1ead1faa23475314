import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bound,
  calculations,
  criticalZ,
  type Formula,
  TOO_FEW,
  unlessFew,
  verdict,
  zScore,
} from '../../../grafana/parts/formulas.ts'
import { verdictLook } from '../../../grafana/parts/looks.ts'
import { createRandom, type Random } from '../../../src/simulate/random.ts'
import { shownRows, type Transformation } from '../../setup/table-panel.ts'

const NAMES = ['x', 'n', 'x before', 'n before', 'm']

/** Calculates a formula as the panel's transformations do, from values in the order of `NAMES`. */
function calculator(formula: Formula): (...numbers: readonly number[]) => number {
  // Grafana names the values of several queries `Value #refId`.
  const steps = calculations(new Map([['result', formula]]), (name) => `Value #${name}`) as Transformation[]
  return (...numbers) => {
    const answers = numbers.map((value, index) => ({
      refId: NAMES[index]!,
      samples: [{ labels: {}, value }],
    }))
    return shownRows(answers, steps)[0]!['result'] as number
  }
}
const value = (formula: Formula, ...numbers: readonly number[]): number => calculator(formula)(...numbers)

const SAMPLES = [
  { part: 'x', whole: 'n' },
  { part: 'x before', whole: 'n before' },
] as const
const more = verdict(...SAMPLES, 'more', 'm')
const less = verdict(...SAMPLES, 'less', 'm')

/** The text that a table shows for a value. */
function words(shown: number): string | undefined {
  const mappings = verdictLook('–').find(({ id }) => id === 'mappings')!.value as {
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
  expect(value(more, 30, 30, 40, 40, 1)).toBe(0)
  expect(value(less, 0, 30, 0, 40, 1)).toBe(0)
  expect(words(value(more, 30, 30, 40, 40, 1))).toBe('unclear')
})

test.each([
  ['▲ better', more, [90, 100, 50, 100, 1]],
  ['▼ worse', more, [50, 100, 90, 100, 1]],
  ['▲ better', less, [10, 100, 40, 100, 1]],
  ['▼ worse', less, [40, 100, 10, 100, 1]],
  ['▲ better', more, [40, 40, 0, 40, 100]],
  ['unclear', more, [51, 100, 50, 100, 1]],
  // z = 2.16: enough for one comparison, not for eight.
  ['▲ better', more, [65, 100, 50, 100, 1]],
  ['unclear', more, [65, 100, 50, 100, 8]],
  ['insufficient data', more, [19, 19, 0, 400, 1]],
  ['insufficient data', less, [0, 400, 19, 19, 1]],
  ['insufficient data', more, [0, 3, 3, 3, 1]],
  ['–', more, [30, 40, 0, 0, 1]],
] as const)('the verdict is %s', (text, formula, numbers) => {
  expect(words(value(formula, ...numbers))).toBe(text)
})

test.each([
  [1, 1.96],
  [2, 2.2414],
  [5, 2.5758],
  [8, 2.7344],
  [20, 3.0233],
  [100, 3.4808],
  [1000, 4.0556],
])('%d comparisons need a z-score of %d: the normal quantile with Bonferroni’s correction', (m, quantile) => {
  const critical = value(criticalZ('m'), 0, 0, 0, 0, m)
  expect(Math.abs(critical - quantile)).toBeLessThan(0.003)
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
      expect(value(zScore(...SAMPLES, 'more'), x, n, x0, n0)).toBeCloseTo(expected, 8)
      expect(value(zScore(...SAMPLES, 'less'), x, n, x0, n0)).toBeCloseTo(-expected, 8)
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

const RATES: readonly (readonly [type: string, rate: number])[] = [
  ['TSC_ERROR', 0.2],
  ['ESLINT_ERROR', 0.1],
  ['JEST_FAILURE', 0.1],
  ['NPM_ERROR', 0.05],
]

/** The error types of a build's failed validations. Like real ones, they are not independent of each other. */
function failuresOfBuild(random: Random): string[] {
  let left = random.next()
  const first = RATES.find(([, rate]) => (left -= rate) < 0)
  if (first === undefined) return []
  const failed = [first[0]]
  while (failed.length < 4 && random.chance(0.5))
    failed.push(random.chance(0.5) ? failed.at(-1)! : random.weighted(RATES, ([, rate]) => rate)[0])
  return failed
}

interface Counts {
  readonly builds: number
  validations: number
  readonly failed: Map<string, number>
}

function countsOfRevision(random: Random): Counts {
  const counts: Counts = { builds: random.integer(20, 150), validations: 0, failed: new Map() }
  for (let build = 0; build < counts.builds; build++) {
    const failed = failuresOfBuild(random)
    counts.validations += failed.length + (failed.length < 4 ? 1 : 0)
    for (const type of failed) counts.failed.set(type, (counts.failed.get(type) ?? 0) + 1)
  }
  return counts
}

/** The rates of one error type under two revisions, with builds as the samples, as the dashboard has them. */
function samplesOf(type: string, now: Counts, before: Counts): [number, number, number, number] {
  const part = ({ builds, validations, failed }: Counts): number =>
    ((failed.get(type) ?? 0) / validations) * builds
  return [part(now), now.builds, part(before), before.builds]
}

test('on noise at most 5 % of 300 tables have a verdict better or worse', () => {
  const calculate = calculator(less)
  const comparisons = 8 * RATES.length
  const random = createRandom('noise')
  const withVerdict = (): boolean => {
    const revisions = Array.from({ length: 9 }, () => countsOfRevision(random))
    return revisions.slice(1).some((now, index) =>
      RATES.some(([type]) => {
        const verdict = calculate(...samplesOf(type, now, revisions[index]!), comparisons)
        return Math.abs(verdict) > 1
      }),
    )
  }
  const found = Array.from({ length: 300 }, withVerdict).filter(Boolean)
  expect(found.length / 300).toBeLessThanOrEqual(0.05)
})
