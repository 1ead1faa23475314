import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CONTEXT_REVISIONS, DEFAULT_PROFILE } from '../../src/simulate/profile.ts'
import { systemClock } from '../../src/simulate/clock.ts'
import { writeBuilds } from '../../src/simulate/writer.ts'
import { startAlertmanager, type Alertmanager } from '../setup/alertmanager.ts'
import { startDaemon, type Daemon } from '../setup/daemon.ts'
import { until } from '../setup/process.ts'
import { startPrometheus, type Prometheus, type Sample } from '../setup/prometheus.ts'
import { type Row, shownRows, type Transformation } from '../setup/table-panel.ts'

const root = path.resolve(import.meta.dirname, '../..')

interface Target {
  readonly refId: string
  readonly expr: string
  readonly instant?: boolean
}
interface Panel {
  readonly title: string
  readonly type: string
  readonly targets?: readonly Target[]
  readonly transformations?: readonly Transformation[]
}
interface Board {
  readonly uid: string
  readonly panels: readonly Panel[]
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] }
}
const boards = readdirSync(path.join(root, 'grafana/dashboards')).map(
  (file) => JSON.parse(readFileSync(path.join(root, 'grafana/dashboards', file), 'utf8')) as Board,
)

/** The rules in seconds instead of hours and days: the same expressions, thresholds and names. */
function hurried(text: string): string {
  const seconds: Readonly<Record<string, string>> = {
    '1m': '1s',
    '2m': '1s',
    '5m': '1s',
    '10m': '2s',
    '15m': '3s',
    '30m': '5s',
    '1h': '8s',
    '6h': '12s',
    '1d': '20s',
    '7d': '90s',
    '30d': '10m',
  }
  return text.replaceAll(
    /(\[|offset |for: |interval: )(\d+[mhd])\b/g,
    (all, before: string, duration: string) => before + (seconds[duration] ?? all),
  )
}

/** One entry, as far as the independent count below looks at it. */
interface Line {
  readonly workflow_run_id: string
  readonly step_name: string
  readonly total_token_cost?: number
  readonly completion_token_count?: number
  readonly context_file_hash: string
  readonly validation_status: string
  readonly validation_error_type?: string
  readonly error_log_size_chars?: number
}

const before = { ...CONTEXT_REVISIONS[0]!, errorRates: { TSC_ERROR: 0.5, JEST_FAILURE: 0.06 } }
/** Halves the type errors; nothing else changes. */
const after = { ...CONTEXT_REVISIONS[1]!, errorRates: { TSC_ERROR: 0.25, JEST_FAILURE: 0.06 } }
const SPIKE = 6

let directory: string
let daemon: Daemon
let prometheus: Prometheus
let alertmanager: Alertmanager
let lines: Line[]
let fromMs: number
let nowMs: number
let spikeStartMs: number

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'dashboards-'))
  const builds = path.join(directory, 'builds')
  daemon = await startDaemon({
    roots: [builds],
    state: path.join(directory, 'state'),
    args: ['--new-series-hold', '3s', '--build-timeout', '6s', '--scan-interval', '1s'],
  })
  await daemon.ready()
  alertmanager = await startAlertmanager()
  const ruleFiles = ['revisions.yml', 'recording.yml', 'alerts.yml'].map((name) => {
    const file = path.join(directory, name)
    writeFileSync(file, hurried(readFileSync(path.join(root, 'prometheus/rules', name), 'utf8')))
    return file
  })
  prometheus = await startPrometheus({
    targets: { 'audit-trace-exporter': daemon.address },
    alertmanager: alertmanager.address,
    ruleFiles,
  })
  fromMs = Date.now()

  const write = async (seed: string, count: number, speed: number, context: typeof before, factor = 1) =>
    writeBuilds(
      {
        directory: builds,
        builds: count,
        parallel: 12,
        speed,
        seed,
        tornWriteShare: 0,
        keep: Infinity,
        contexts: [context],
        buildsPerContext: count,
        profile: { ...DEFAULT_PROFILE, ...(factor > 1 && { spike: { fromMs: 0, factor } }) },
      },
      { clock: systemClock, signal: new AbortController().signal },
    )
  await write('before', 140, 500, before)
  await write('after', 140, 500, after)
  spikeStartMs = Date.now()
  await write('spike', 160, 250, after, SPIKE)

  lines = readdirSync(builds).flatMap((build) =>
    readFileSync(path.join(builds, build, 'audit_trace.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  )
  await until('every build is closed and every entry has reached Prometheus', async () => {
    const [entries] = await prometheus.instant('sum(audit_entries_total)')
    const [open] = await prometheus.instant('audit_builds_in_progress')
    return (entries?.value === lines.length && open?.value === 0) || undefined
  })
  await until('the recording rules have seen it', async () => {
    const [judged] = await prometheus.instant('sum(context_hash:builds_judged:increase30d)')
    return (judged !== undefined && judged.value >= judgedBuilds().length) || undefined
  })
  // At a scrape's own moment increase() has nothing to extrapolate, and every series was born at zero.
  const [last] = await prometheus.instant('timestamp(audit_builds_in_progress)')
  nowMs = last!.value * 1000
})

afterAll(async () => {
  await prometheus?.stop()
  await alertmanager?.stop()
  await daemon?.stop()
  rmSync(directory, { recursive: true, force: true })
})

/** Seconds between the points of a line, and the width of a bar; the last ends now. */
const STEP = 5

const filled = (expr: string, range: string): string =>
  expr
    .replaceAll('$__rate_interval', '5s')
    .replaceAll('$__range', range)
    .replaceAll('$__interval', `${STEP}s`)
    .replaceAll('$window', '1m')
    .replaceAll('$price_prompt', '1.25')
    .replaceAll('$price_completion', '10')
    .replaceAll(/\$(context|error|phase)\b/g, '.*')

/** Asked by POST, as Grafana does: some queries are longer than an address may be. */
async function ask(target: Target, range = '600s'): Promise<Sample[]> {
  const query = filled(target.expr, range)
  expect(query).not.toMatch(/\$[a-z_]/)
  const time = String(nowMs / 1000)
  const form = target.instant
    ? { query, time }
    : {
        query,
        start: String(nowMs / 1000 - STEP * Math.ceil((nowMs - fromMs) / 1000 / STEP)),
        end: time,
        step: String(STEP),
      }
  const response = await fetch(`${prometheus.url}/api/v1/${target.instant ? 'query' : 'query_range'}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const answer = (await response.json()) as {
    status: string
    error?: string
    data: {
      result: { metric: Record<string, string>; value?: [number, string]; values?: [number, string][] }[]
    }
  }
  expect(answer.error).toBeUndefined()
  return answer.data.result.flatMap(({ metric, value, values }) =>
    (values ?? [value!]).map(([seconds, text]) => ({
      labels: metric,
      value: Number(text),
      timeMs: seconds * 1000,
    })),
  )
}

const panel = (uid: string, title: string): Panel =>
  boards.find((board) => board.uid === uid)!.panels.find((found) => found.title === title)!
const query = (uid: string, title: string, refId = 'A'): Target =>
  panel(uid, title).targets!.find((target) => target.refId === refId)!

/** The rows of a table as Grafana shows them: every query asked, then merged, calculated, filtered and sorted. */
async function tableOf(uid: string, title: string): Promise<readonly Row[]> {
  const { targets: asked = [], transformations = [] } = panel(uid, title)
  const answers = await Promise.all(
    asked.map(async (target) => ({ refId: target.refId, samples: await ask(target) })),
  )
  return shownRows(answers, transformations)
}

const targets = boards.flatMap((board) =>
  board.panels.flatMap(({ title, targets = [] }) =>
    targets.map((target) => [`${board.uid}: ${title} ${target.refId}`, target] as const),
  ),
)

test.each(targets)('%s shows data, and numbers', async (_, target) => {
  // A query about the range before this one needs a range with one before it.
  const samples = target.expr.includes('offset $__range') ? await ask(target, '30s') : await ask(target)
  expect(samples.length).toBeGreaterThan(0)
  expect(samples.some(({ value }) => Number.isFinite(value))).toBe(true)
  if (target.instant) expect(samples.filter(({ value }) => !Number.isFinite(value))).toEqual([])
})

// What follows counts the files anew, without any of the exporter's code.

/** Any failing entry, and a passing one of the verify phase: in these files all others have no status. */
const isValidation = ({ validation_status: status }: Line): boolean => status === 'pass' || status === 'fail'
const isFix = ({ step_name: step }: Line): boolean => step.startsWith('fix')
const hashOf = (line: Line): string => line.context_file_hash.slice(0, 12)
const sum = (all: readonly Line[], of: (line: Line) => number | undefined): number =>
  all.reduce((total, line) => total + (of(line) ?? 0), 0)

function byBuild(): Line[][] {
  const found = new Map<string, Line[]>()
  for (const line of lines)
    found.set(line.workflow_run_id, [...(found.get(line.workflow_run_id) ?? []), line])
  return [...found.values()]
}
const verdicts = (build: readonly Line[]): string[] =>
  build.map((line) => line.validation_status).filter((status) => status === 'pass' || status === 'fail')
const judgedBuilds = (): Line[][] => byBuild().filter((build) => verdicts(build).length > 0)
const passedAtFirst = (build: readonly Line[]): boolean => verdicts(build)[0] === 'pass'
const succeededBuilds = (): Line[][] => byBuild().filter((build) => verdicts(build).includes('pass'))

test('the first-pass rate is that of the files', async () => {
  const [rate] = await ask(query('audit-overview', 'First-pass rate'))
  expect(rate?.value).toBeCloseTo(judgedBuilds().filter(passedAtFirst).length / judgedBuilds().length, 10)
})

test('the tokens per successful build are those of the files, failures included', async () => {
  const [tokens] = await ask(query('audit-token-efficiency', 'Tokens per successful build'))
  const all = sum(lines, (line) => line.total_token_cost)
  expect(tokens?.value).toBeCloseTo(all / succeededBuilds().length, 5)
})

test('the rework cost factor is that of the files', async () => {
  const [factor] = await ask(query('audit-overview', 'Rework cost factor'))
  const fixes = lines.filter(isFix)
  const expected =
    sum(fixes, (line) => line.completion_token_count) / sum(fixes, (line) => line.error_log_size_chars)
  expect(factor?.value).toBeCloseTo(expected, 8)
})

test('the audit of constraints shows the planted revision halving the type errors, in the files’ own numbers', async () => {
  const uid = 'audit-constraint-effectiveness'
  const rows = await tableOf(uid, 'Error rates before and after each revision')
  const share = (hash: string): [number, number] => {
    const verified = lines.filter((line) => hashOf(line) === hash.slice(0, 12) && isValidation(line))
    const failed = verified.filter(({ validation_error_type: type }) => type === 'TSC_ERROR')
    return [verified.length, failed.length / verified.length]
  }
  const [nBefore, shareBefore] = share(before.hash)
  const [nAfter, shareAfter] = share(after.hash)
  const row = rows.find((found) => found['Revision'] === 'v2' && found['Error type'] === 'TSC_ERROR')
  expect(row).toMatchObject({
    'n before': nBefore,
    Before: expect.closeTo(shareBefore, 10) as number,
    'n after': nAfter,
    After: expect.closeTo(shareAfter, 10) as number,
  })
  expect(row!['Verdict']).toBeGreaterThan(1.96)
  expect(row!['Verdict']).toBeLessThan(100)
  // The newest first; the first revision has none before it.
  expect(rows.map((found) => found['Revision'])).toEqual(['v2', 'v2', 'v1', 'v1'])
  expect(rows.at(-1)!['Verdict']).toBeNaN()

  const clear = await tableOf(uid, 'Error rates that changed with a revision')
  expect(clear).toContainEqual(expect.objectContaining({ Revision: 'v2', 'Error type': 'TSC_ERROR' }))
  expect(clear.every((found) => Math.abs(found['Verdict'] as number) > 1.96)).toBe(true)
})

test('the audit of volatility finds the new revision better than the one before', async () => {
  const rows = await tableOf('audit-context-volatility', 'First-pass rate by revision')
  const rateOf = (hash: string): number => {
    const builds = judgedBuilds().filter(([line]) => hashOf(line!) === hash.slice(0, 12))
    return builds.filter(passedAtFirst).length / builds.length
  }
  expect(rows).toMatchObject([
    { Revision: 'v2', 'First-pass rate': expect.closeTo(rateOf(after.hash), 10) as number },
    { Revision: 'v1', 'First-pass rate': expect.closeTo(rateOf(before.hash), 10) as number },
  ])
  expect(rows[0]!['Verdict']).toBeGreaterThan(1.96)
  expect(rows[1]!['Verdict']).toBeNaN()
})

test('what a revision costs, and its change against the one before, are those of the files', async () => {
  const rows = await tableOf('audit-context-volatility', 'Tokens and fixes by revision')
  const costOf = (hash: string): number => {
    const of = (build: readonly Line[]): boolean => hashOf(build[0]!) === hash.slice(0, 12)
    return (
      sum(byBuild().filter(of).flat(), (line) => line.total_token_cost) / succeededBuilds().filter(of).length
    )
  }
  const [now, was] = [costOf(after.hash), costOf(before.hash)]
  expect(rows[0]).toMatchObject({
    Revision: 'v2',
    'Tokens / success': expect.closeTo(now, 4) as number,
    Change: expect.closeTo(now / was - 1, 8) as number,
  })
})

test('the bars of builds add up to the builds of the files', async () => {
  const bars = await ask(query('audit-overview', 'Builds by outcome'))
  expect(bars.reduce((total, { value }) => total + value, 0)).toBe(byBuild().length)
})

test('the average of fix attempts by error type is that of the files', async () => {
  const shown = await ask(query('audit-token-efficiency', 'Tokens per fix attempt by error type'))
  for (const { labels, value } of shown) {
    // A fix answers the failure before it in its build.
    const fixes = byBuild().flatMap((build) =>
      build.filter(
        (line, index) => isFix(line) && build[index - 1]?.validation_error_type === labels['error_type'],
      ),
    )
    expect(value).toBeCloseTo(sum(fixes, (line) => line.total_token_cost) / fixes.length, 5)
  }
  expect(new Set(shown.map(({ labels }) => labels['error_type']))).toEqual(
    new Set(['JEST_FAILURE', 'TSC_ERROR']),
  )
})

test('a mark stands where the new revision was first used', async () => {
  const expr = boards[0]!.annotations.list.find(({ name }) => name === 'GEMINI.md changed')!.expr!
  const marks = await ask({ refId: 'A', expr, instant: true })
  expect(new Set(marks.map(({ labels }) => labels['version']))).toEqual(new Set(['v1', 'v2']))
  for (const { value } of marks) expect(value).toBeGreaterThan(fromMs - 60_000)
})

test('the planted spike reaches the webhook behind a real Alertmanager, with its numbers', async () => {
  const spike = await until('the alert has arrived', () =>
    alertmanager.notified.find(
      ({ labels, status }) => labels['alertname'] === 'AuditReworkCostSpike' && status === 'firing',
    ),
  )
  expect(spike.labels).toMatchObject({ severity: 'critical', audit: 'builds' })
  expect(spike.annotations['description']).toMatch(
    /used \d+\.\d\d completion tokens .* week before that: \d+\.\d\d\./,
  )
  expect(spike.annotations['runbook_url']).toBe('docs/runbook.md#auditreworkcostspike')
  const [first] = await prometheus.instant(
    'min_over_time(timestamp(ALERTS{alertname="AuditReworkCostSpike"})[10m:1s])',
  )
  expect(first!.value * 1000).toBeGreaterThan(spikeStartMs)
})
