import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { firingAlerts, firingCount } from '../../../grafana/parts/alerts.ts'
import { cost } from '../../../grafana/parts/measures.ts'
import { BUCKET, count } from '../../../grafana/parts/promql.ts'
import { requireProgram } from '../../setup/programs.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'promql-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

interface Series {
  readonly series: string
  /** As promtool writes samples, one every 15 s. */
  readonly values: string
}

/** What promtool makes of an expression over the series; throws what it says where it is another number. */
function holds(
  input: readonly Series[],
  expr: string,
  at: string,
  expected: Readonly<Record<string, number>>,
) {
  const file = path.join(directory, 'test.yml')
  const samples = Object.entries(expected).map(([labels, value]) => ({ labels, value }))
  writeFileSync(
    file,
    stringify({
      rule_files: [],
      evaluation_interval: '15s',
      tests: [
        {
          interval: '15s',
          input_series: input,
          promql_expr_test: [{ expr, eval_time: at, exp_samples: samples }],
        },
      ],
    }),
  )
  return execFileSync(requireProgram('promtool'), ['test', 'rules', file], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Bars of that many minutes over 5 hours, whose ends lie seven seconds after a scrape, added up. */
function addedUp(minutes: number): string {
  const bars = count('builds', { by: ['outcome'], window: BUCKET })
    .replaceAll(`offset ${BUCKET}`, `offset ${minutes * 60 + 7}s`)
    .replaceAll(`[${BUCKET}] offset`, `[${minutes}m] offset`)
    .replaceAll(`[${BUCKET}]`, `[${minutes}m] offset 7s`)
  expect(bars).not.toContain('$')
  return `sum_over_time((${bars})[5h:${minutes}m])`
}
const of = (outcome: string): string => `audit_builds_total{outcome="${outcome}"}`
const label = (outcome: string): string => `{outcome="${outcome}"}`

/** One more every 29 scrapes, from the first number to the last. */
const rising = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, index) => `${from + index}x28`).join(' ')

test.each([1, 5])('bars of %d minutes add up to the total, born at zero or later', (minutes) => {
  const input = [
    { series: of('first_pass'), values: rising(0, 40) },
    { series: of('failed'), values: `_x400 0x3 ${rising(2, 20)}` },
  ]
  expect(
    holds(input, addedUp(minutes), '5h', { [label('first_pass')]: 40, [label('failed')]: 20 }),
  ).toContain('SUCCESS')
})

test('what stood in the files at the very first start is in no bar', () => {
  const input = [{ series: of('first_pass'), values: `_x100 ${rising(500, 520)}` }]
  expect(holds(input, addedUp(1), '5h', { [label('first_pass')]: 20 })).toContain('SUCCESS')
})

test('a gap in the scrapes that is shorter than a bar loses nothing', () => {
  const input = [{ series: of('first_pass'), values: `${rising(0, 10)} stale _x12 ${rising(15, 35)}` }]
  expect(holds(input, addedUp(5), '5h', { [label('first_pass')]: 35 })).toContain('SUCCESS')
})

test('bars narrower than the four minutes between the samples of imported history lose nothing', () => {
  const everyFourMinutes = Array.from({ length: 70 }, (_, index) => `${index} _x14`).join(' ')
  const input = [{ series: of('first_pass'), values: everyFourMinutes }]
  expect(holds(input, addedUp(1), '5h', { [label('first_pass')]: 69 })).toContain('SUCCESS')
})

test('a counter that falls, as after a lost state, makes no bar below zero', () => {
  const input = [{ series: of('first_pass'), values: `${rising(0, 10)} ${rising(3, 13)}` }]
  expect(holds(input, addedUp(1), '5h', { [label('first_pass')]: 20 })).toContain('SUCCESS')
})

const price = (window: string): string =>
  cost({ window }).replaceAll('$price_prompt', '2').replaceAll('$price_completion', '10')

test.each([
  ['only totals', { unsplit: 1_000 }, 2_000],
  ['only completions', { completion: 1_000 }, 10_000],
  ['prompts and completions', { prompt: 1_000, completion: 100 }, 3_000],
] as const)('tokens cost what they cost in traces with %s', (_, tokens, micros) => {
  const input = Object.entries(tokens).map(([type, perScrape]) => ({
    series: `audit_tokens_total{type="${type}"}`,
    values: `0+${perScrape}x240`,
  }))
  const perScrapes = `round(${price('1h')} * 1e6 / 240)`
  expect(holds(input, perScrapes, '1h', { '{}': micros })).toContain('SUCCESS')
})

const alert = (name: string, severity: string, state = 'firing'): Series[] => {
  const labels = `alertname="${name}",severity="${severity}",audit="builds"`
  return [
    { series: `ALERTS{${labels},alertstate="${state}"}`, values: '1x20' },
    { series: `ALERTS_FOR_STATE{${labels}}`, values: '1000x20' },
  ]
}
const WATCHDOG = alert('Watchdog', 'none')
const FIRING = [...WATCHDOG, ...alert('Dear', 'critical'), ...alert('Slow', 'warning')]
/** Not firing yet, and not one of ours. */
const OTHERS: Series[] = [
  ...alert('Soon', 'warning', 'pending'),
  { series: 'ALERTS{alertname="Disk",severity="critical",alertstate="firing"}', values: '1x20' },
  { series: 'ALERTS_FOR_STATE{alertname="Disk",severity="critical"}', values: '1000x20' },
]
const exprs = (panel: { build(): { targets?: unknown[] } }): string[] =>
  (panel.build().targets as { expr: string }[]).map(({ expr }) => expr)

test('the number of firing alerts leaves out the watchdog, what is pending, and what is not ours', () => {
  const [expr] = exprs(firingCount()) as [string]
  expect(holds([...FIRING, ...OTHERS], expr, '1m', { '{}': 2 })).toContain('SUCCESS')
  expect(holds([...WATCHDOG, ...OTHERS], expr, '1m', { '{}': 0 })).toContain('SUCCESS')
  expect(holds(OTHERS, expr, '1m', {})).toContain('SUCCESS')
})

test('what fires is in the order of its severity', () => {
  const [since, severity] = exprs(firingAlerts()) as [string, string]
  const of = (name: string, is: string): string => `{alertname="${name}",severity="${is}",audit="builds"}`
  const names = [of('Dear', 'critical'), of('Slow', 'warning'), of('Watchdog', 'none')] as const
  const all = (numbers: readonly number[]) =>
    Object.fromEntries(names.map((name, index) => [name, numbers[index]!]))
  expect(holds([...FIRING, ...OTHERS], since, '1m', all([1e6, 1e6, 1e6]))).toContain('SUCCESS')
  expect(holds([...FIRING, ...OTHERS], severity, '1m', all([3, 2, 1]))).toContain('SUCCESS')
})
