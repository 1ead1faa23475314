import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { GENERATIONS } from '../setup/generations.ts'
import { until } from '../setup/process.ts'
import {
  byBuild,
  hashOf,
  isFix,
  isValidation,
  judgedBuilds,
  type Line,
  passedAtFirst,
  succeededBuilds,
  sum,
} from './independent-count.ts'
import { ask, boards, query, tableOf } from './panel-queries.ts'
import {
  REVISION_AFTER,
  REVISION_BEFORE,
  type Server,
  spikes,
  type Stack,
  startStack,
} from './simulated-stack.ts'

let stack: Stack
let lines: readonly Line[]

beforeAll(async () => {
  stack = await startStack()
  lines = stack.lines
})
afterAll(() => stack?.stop())

const FIRING = 'Firing alerts by severity'
/** There are two revisions: no others than those that have bars of their own. */
const OTHERS = 'audit-context-volatility: Builds by revision B'
/** What fires is asked for when it fires: in the test of the planted spike. */
const targets = boards.flatMap((board) =>
  board.panels
    .filter(({ title }) => title !== FIRING)
    .flatMap(({ title, targets }) =>
      targets.map((target) => [`${board.uid}: ${title} ${target.refId}`, target] as const),
    )
    .filter(([name]) => name !== OTHERS),
)
/** The name of a revision on panels: short hash and day of the first use, which is the day of the test. */
const nameOf = ({ hash }: { readonly hash: string }): RegExp =>
  new RegExp(String.raw`^${hash.slice(0, 7)} \d{4}-\d{2}-\d{2}$`, 'u')
const usedUnder = (hash: string) => (line: Line) => hashOf(line) === hash.slice(0, 12)

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  let server: Server
  beforeAll(() => {
    server = stack.servers.get(generation)!
  })

  test.each(targets)('%s has data, and only numbers', async (_, target) => {
    // A query about the preceding time range needs a shorter range, so that there is one.
    const range = target.expr.includes('${__range_ms}') ? '30s' : '600s'
    const samples = await ask(server, target, { range })
    expect(samples.length).toBeGreaterThan(0)
    expect(samples.some(({ value }) => Number.isFinite(value))).toBe(true)
    if (target.instant) expect(samples.filter(({ value }) => !Number.isFinite(value))).toEqual([])
  })

  test('the first-pass rate equals that of the files', async () => {
    const [rate] = await ask(server, query('audit-overview', 'First-pass rate'))
    const judged = judgedBuilds(lines)
    expect(rate?.value).toBeCloseTo(judged.filter(passedAtFirst).length / judged.length, 10)
  })

  test('the tokens per successful build equal those of the files, failures included', async () => {
    const [tokens] = await ask(server, query('audit-token-efficiency', 'Tokens per successful build'))
    const all = sum(lines, (line) => line.total_token_cost)
    expect(tokens?.value).toBeCloseTo(all / succeededBuilds(lines).length, 5)
  })

  test('the rework cost factor equals that of the files', async () => {
    const [factor] = await ask(server, query('audit-overview', 'Rework cost factor'))
    const fixes = lines.filter(isFix)
    const expected =
      sum(fixes, (line) => line.completion_token_count) / sum(fixes, (line) => line.error_log_size_chars)
    expect(factor?.value).toBeCloseTo(expected, 8)
  })

  test('Constraint Effectiveness calls the halved type errors better, with the rates and builds of the files', async () => {
    const uid = 'audit-constraint-effectiveness'
    const rows = await tableOf(server, uid, 'Error rates before and after each revision')
    const of = ({ hash }: { readonly hash: string }): [builds: number, rate: number] => {
      const validations = lines.filter(usedUnder(hash)).filter(isValidation)
      const failed = validations.filter(({ validation_error_type: type }) => type === 'TSC_ERROR')
      const builds = judgedBuilds(lines).filter(([line]) => usedUnder(hash)(line!))
      return [builds.length, failed.length / validations.length]
    }
    const [buildsBefore, rateBefore] = of(REVISION_BEFORE)
    const [buildsAfter, rateAfter] = of(REVISION_AFTER)
    const row = rows.find(
      (found) =>
        nameOf(REVISION_AFTER).test(String(found['Revision'])) && found['Error type'] === 'TSC_ERROR',
    )
    expect(row).toMatchObject({
      'Judged builds before': buildsBefore,
      'Error rate before': expect.closeTo(rateBefore, 10) as number,
      'Judged builds after': buildsAfter,
      'Error rate after': expect.closeTo(rateAfter, 10) as number,
    })
    const pooled = (rateAfter * buildsAfter + rateBefore * buildsBefore) / (buildsAfter + buildsBefore)
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / buildsAfter + 1 / buildsBefore))
    // Two error types under one revision with a predecessor: z of two comparisons is 2.24.
    expect(row!['Verdict']).toBeCloseTo((rateBefore - rateAfter) / error / 2.24, 1)
    expect(row!['Verdict']).toBeGreaterThan(1)
    // The newest first; the first revision has no predecessor.
    expect(rows.map((found) => found['Revision'])).toEqual(
      [REVISION_AFTER, REVISION_AFTER, REVISION_BEFORE, REVISION_BEFORE].map(
        (revision) => expect.stringMatching(nameOf(revision)) as string,
      ),
    )
    expect(rows.at(-1)!['Verdict']).toBeNaN()

    const differing = await tableOf(server, uid, 'Error types with a better or worse rate than before')
    expect(differing).toContainEqual(
      expect.objectContaining({
        Revision: expect.stringMatching(nameOf(REVISION_AFTER)) as string,
        'Error type': 'TSC_ERROR',
      }),
    )
    expect(differing.every((found) => Math.abs(found['Verdict'] as number) > 1)).toBe(true)
  })

  test('Context Volatility calls the first-pass rate of the new revision better', async () => {
    const rows = await tableOf(server, 'audit-context-volatility', 'First-pass rate by revision')
    const rateOf = ({ hash }: { readonly hash: string }): number => {
      const builds = judgedBuilds(lines).filter(([line]) => usedUnder(hash)(line!))
      return builds.filter(passedAtFirst).length / builds.length
    }
    const [now, was] = [rateOf(REVISION_AFTER), rateOf(REVISION_BEFORE)]
    expect(rows).toMatchObject([
      {
        Revision: expect.stringMatching(nameOf(REVISION_AFTER)) as string,
        'First-pass rate': expect.closeTo(now, 10) as number,
        'Rate before': expect.closeTo(was, 10) as number,
      },
      {
        Revision: expect.stringMatching(nameOf(REVISION_BEFORE)) as string,
        'First-pass rate': expect.closeTo(was, 10) as number,
      },
    ])
    expect(rows[0]!['Verdict']).toBeGreaterThan(1)
    expect(rows[1]!['Verdict']).toBeNaN()
  })

  test('the cost of a revision and its change equal those of the files', async () => {
    const rows = await tableOf(server, 'audit-context-volatility', 'Tokens and fixes by revision')
    const costOf = ({ hash }: { readonly hash: string }): number => {
      const of = (build: readonly Line[]): boolean => usedUnder(hash)(build[0]!)
      const tokens = sum(byBuild(lines).filter(of).flat(), (line) => line.total_token_cost)
      return tokens / succeededBuilds(lines).filter(of).length
    }
    const [now, was] = [costOf(REVISION_AFTER), costOf(REVISION_BEFORE)]
    expect(rows[0]).toMatchObject({
      Revision: expect.stringMatching(nameOf(REVISION_AFTER)) as string,
      'Tokens per successful build': expect.closeTo(now, 4) as number,
      'Change of tokens': expect.closeTo(now / was - 1, 8) as number,
    })
  })

  test('each column of error rates by revision has the rates of the files, and its number of builds in its name', async () => {
    const of = (refId: string) =>
      ask(server, query('audit-context-volatility', 'Error rates by revision', refId))
    const [rates, order] = [await of('A'), await of('B')]
    // Grafana joins them by all labels.
    const keys = (samples: typeof rates): string[] =>
      samples
        .map(({ labels }) => JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))))
        .toSorted()
    expect(keys(order)).toEqual(keys(rates))
    for (const { hash } of [REVISION_BEFORE, REVISION_AFTER]) {
      const under = lines.filter(usedUnder(hash))
      const builds = judgedBuilds(lines).filter(([line]) => usedUnder(hash)(line!)).length
      const failed = under.filter(({ validation_error_type: type }) => type === 'TSC_ERROR').length
      const cell = rates.find(
        ({ labels }) =>
          labels['column']!.startsWith(hash.slice(0, 7)) && labels['error_type'] === 'TSC_ERROR',
      )
      expect(cell?.labels['column']).toMatch(new RegExp(`, n = ${builds}$`))
      expect(cell?.value).toBeCloseTo(failed / under.filter(isValidation).length, 10)
    }
  })

  test('the bars of revisions carry their place in the order, which sorts their legend', async () => {
    const shown = await ask(server, query('audit-context-volatility', 'Builds by revision'))
    const place = (revision: { readonly hash: string }): number =>
      Number(shown.find(({ labels }) => nameOf(revision).test(labels['revision'] ?? ''))?.labels['order'])
    expect(place(REVISION_AFTER)).toBeGreaterThan(place(REVISION_BEFORE))
    // There are no others.
    expect(await ask(server, query('audit-context-volatility', 'Builds by revision', 'B'))).toEqual([])
  })

  test('the bars of builds add up to the builds of the files', async () => {
    const bars = await ask(server, query('audit-overview', 'Builds by outcome'))
    expect(bars.reduce((total, { value }) => total + value, 0)).toBe(byBuild(lines).length)
  })

  test('the tokens per fix attempt by error type equal those of the files', async () => {
    const shown = await tableOf(server, 'audit-token-efficiency', 'Tokens per fix attempt by error type')
    for (const { 'Error type': type, ...row } of shown) {
      // A fix answers the failure before it in its build.
      const fixes = byBuild(lines).flatMap((build) =>
        build.filter((line, index) => isFix(line) && build[index - 1]?.validation_error_type === type),
      )
      expect(row).toMatchObject({
        Fixes: fixes.length,
        'Tokens per fix attempt': expect.closeTo(
          sum(fixes, (line) => line.total_token_cost) / fixes.length,
          5,
        ) as number,
      })
    }
    expect(new Set(shown.map((row) => row['Error type']))).toEqual(new Set(['JEST_FAILURE', 'TSC_ERROR']))
  })

  test('with one revision chosen, panels count the files of that one', async () => {
    for (const { hash } of [REVISION_BEFORE, REVISION_AFTER]) {
      const chosen = { context: hash.slice(0, 12) }
      const under = lines.filter(usedUnder(hash))
      const uid = 'audit-overview'
      const [closed] = await ask(server, query(uid, 'Closed builds'), { chosen })
      expect(closed?.value).toBe(byBuild(under).length)
      const [factor] = await ask(server, query(uid, 'Rework cost factor'), { chosen })
      const fixes = under.filter(isFix)
      expect(factor?.value).toBeCloseTo(
        sum(fixes, (line) => line.completion_token_count) / sum(fixes, (line) => line.error_log_size_chars),
        8,
      )
      const rows = await tableOf(server, uid, 'Failed validations by error type', chosen)
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows)
        expect(row['Failed validations']).toBe(
          under.filter(({ validation_error_type: type }) => type === row['Error type']).length,
        )
      const steps = await tableOf(server, 'audit-token-efficiency', 'Most expensive steps', chosen)
      expect(steps.length).toBeGreaterThan(2)
      for (const row of steps)
        expect(row['Runs']).toBe(under.filter(({ step_name: step }) => step === row['Step']).length)
    }
  })

  test('a mark shows the first use of each revision', async () => {
    const expr = boards[0]!.annotations.list.find(({ name }) => name === 'GEMINI.md changed')!.expr!
    const marks = await ask(server, { refId: 'A', expr, instant: true, variables: [] })
    const named = (revision: { readonly hash: string }) =>
      marks.filter(({ labels }) => nameOf(revision).test(labels['revision'] ?? ''))
    expect(named(REVISION_BEFORE).length).toBeGreaterThan(0)
    expect(named(REVISION_AFTER).length).toBeGreaterThan(0)
    for (const { value } of marks) expect(value).toBeGreaterThan(server.fromMs - 60_000)
  })

  test('the planted spike reaches the webhook behind a real Alertmanager, with its numbers', async () => {
    const spike = await until('the alert has arrived', () => server.alertmanager.notified.find(spikes))
    expect(spike.labels).toMatchObject({ severity: 'critical', audit: 'builds' })
    expect(spike.annotations['description']).toMatch(
      /used \d+\.\d\d completion tokens .* week before that: \d+\.\d\d\./,
    )
    expect(spike.annotations['runbook_url']).toBe('docs/runbook.md#auditreworkcostspike')
    const [first] = await server.prometheus.instant(
      'min_over_time(timestamp(ALERTS{alertname="AuditReworkCostSpike"})[10m:1s])',
    )
    expect(first!.value * 1000).toBeGreaterThan(stack.spikeStartMs)

    const firing = 'ALERTS{alertname="AuditReworkCostSpike", alertstate="firing"}'
    const [last] = await server.prometheus.instant(`max_over_time(timestamp(${firing})[10m:1s])`)
    const rows = await tableOf({ ...server, nowMs: last!.value * 1000 }, 'audit-overview', FIRING)
    const row = rows.find((found) => found['Alert'] === 'AuditReworkCostSpike')
    expect(row).toMatchObject({ Severity: 'critical', Board: 'prompt-refinement' })
    expect(row?.['Active for']).toBeGreaterThan(0)
  })
})
