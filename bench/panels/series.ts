import { createHash } from 'node:crypto'
import { CATALOGUE, type MetricKey, prometheusName } from '../../src/metrics/catalogue.ts'

/** A series of the benchmark, as bench/panels/blocks/main.go reads it; times in seconds since 1970. */
export interface Series {
  readonly Labels: Readonly<Record<string, string>>
  readonly From: number
  readonly To: number
  readonly Every: number
  /** More samples near the ends of common time ranges. */
  readonly Spans: boolean
  /** Instead of both: every minute for the first six, then for the first three minutes of every six hours. */
  readonly Kept?: boolean
  /** A counter grows from zero to its value between these times; a gauge has the value throughout: both are equal. */
  readonly GrowFrom: number
  readonly GrowTo: number
  readonly Value: number
}

export interface Size {
  readonly days: number
  readonly revisions: number
  readonly errorTypes: number
  /** Seconds between the samples of a counter of builds, except near the ends of time ranges. */
  readonly everySeconds: number
  /** The end of the data, in seconds since 1970. */
  readonly endSeconds: number
}

export const SCRAPE_SECONDS = 15
/** Of what exists once for each revision or exporter: close enough for an instant query, which looks back 5 minutes. */
const GAUGE_SECONDS = 240
const DAY = 86_400
const BUILDS_PER_REVISION = 60
const PROMPT_VERSIONS = 30

const TARGET = { job: 'audit-trace-exporter', instance: 'builds:9464' }

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** The series of one exporter that has been there for all days, and what the rules recorded about its revisions. */
export function* seriesOf(size: Size): Iterable<Series> {
  const from = size.endSeconds - (size.days + 1) * DAY
  const each = (size.days * DAY) / size.revisions
  const revisions = numbers(size.revisions).map((index) => {
    const start = Math.round(size.endSeconds - (size.revisions - index) * each)
    return { index, hash: hashOf(index), start, end: Math.round(start + each) }
  })
  const errorTypes = numbers(size.errorTypes).map(
    (index) => `${['TSC', 'ESLINT', 'JEST', 'NPM'][index % 4]!}_ERROR_${index}`,
  )
  const all = { start: from, end: size.endSeconds }
  const counter = (name: string, labels: Labels, span: Span, value: number): Series => ({
    Labels: { __name__: name, ...labels, ...TARGET },
    From: span.start,
    To: size.endSeconds,
    Every: size.everySeconds,
    Spans: true,
    GrowFrom: span.start,
    GrowTo: span.end,
    Value: value,
  })
  const gauge = (name: string, labels: Labels, value: number, start = from): Series => ({
    ...counter(name, labels, { start, end: start }, value),
    GrowFrom: 0,
    GrowTo: 0,
    Every: GAUGE_SECONDS,
  })
  for (const revision of revisions) {
    yield* ofRevision(revision, counter)
    yield* ofErrors(revision, errorTypes, counter)
    yield* recorded(revision, revisions[revision.index - 1], gauge)
  }
  yield* ofPrompts(all, counter)
  yield* ofSteps(all, counter)
  // There are few of these, so they have a sample at every scrape.
  for (const series of [...ofExporter(all, counter), ...gaugesOfExporter(all, gauge)])
    yield { ...series, Every: SCRAPE_SECONDS, Spans: false }
}

type Labels = Readonly<Record<string, string>>
interface Span {
  readonly start: number
  readonly end: number
}
interface Revision extends Span {
  readonly index: number
  readonly hash: string
}
type Counter = (name: string, labels: Labels, span: Span, value: number) => Series
type Gauge = (name: string, labels: Labels, value: number, start?: number) => Series

const hashOf = (index: number): string =>
  createHash('sha256').update(`revision ${index}`).digest('hex').slice(0, 12)
const nameOf = (metric: MetricKey): string => prometheusName(CATALOGUE[metric])

function* ofRevision(revision: Revision, counter: Counter): Iterable<Series> {
  const context = { context_hash: revision.hash }
  for (const [outcome, share] of Object.entries({
    first_pass: 0.5,
    after_rework: 0.3,
    failed: 0.15,
    abandoned: 0.05,
  })) {
    const builds = BUILDS_PER_REVISION * share
    yield counter(nameOf('builds'), { outcome, ...context }, revision, builds)
    yield counter(nameOf('buildTokens'), { outcome, ...context }, revision, 50_000 * builds)
  }
  for (const [step, phase, status] of [
    ['scaffold', 'scaffold', 'N/A'],
    ['implement_v1', 'implement', 'N/A'],
    ['initial_verification', 'verify', 'pass'],
    ['final_verification', 'verify', 'pass'],
  ] as const) {
    const of = { step, phase, error_type: '', ...context }
    yield counter(nameOf('entries'), { ...of, status }, revision, BUILDS_PER_REVISION)
    for (const type of ['prompt', 'completion'])
      yield counter(nameOf('tokens'), { ...of, type }, revision, 9000 * BUILDS_PER_REVISION)
  }
  for (const phase of ['scaffold', 'implement', 'rework'])
    for (const part of ['context', 'instruction', 'other'])
      yield counter(nameOf('promptTokens'), { phase, part, ...context }, revision, 90_000)
}

function* ofErrors(revision: Revision, errorTypes: readonly string[], counter: Counter): Iterable<Series> {
  for (const [index, error_type] of errorTypes.entries()) {
    const of = { error_type, context_hash: revision.hash }
    const failures = 1 + ((index * 7 + revision.index) % 12)
    const verification = { step: 'initial_verification', phase: 'verify' }
    const fix = { step: 'fix_attempt_1', phase: 'rework' }
    yield counter(nameOf('entries'), { ...verification, status: 'fail', ...of }, revision, failures)
    yield counter(nameOf('entries'), { ...fix, status: 'N/A', ...of }, revision, failures)
    for (const type of ['prompt', 'completion'])
      yield counter(nameOf('tokens'), { ...fix, type, ...of }, revision, 4000 * failures)
    yield counter(nameOf('reworkCompletionTokens'), of, revision, 1200 * failures)
    yield counter(nameOf('reworkErrorLogChars'), of, revision, 2500 * failures)
  }
}

/** What prometheus/rules/revisions.yml records. */
function* recorded(revision: Revision, before: Revision | undefined, gauge: Gauge): Iterable<Series> {
  const { hash, start, index } = revision
  const context = { context_hash: hash }
  const named = (prefix: string, { hash, index, start }: Revision): Labels => ({
    [`${prefix === '' ? 'context_' : prefix}hash`]: hash,
    [`${prefix}version`]: `v${index + 1}`,
    [`${prefix}revision`]: `${hash.slice(0, 7)} ${new Date(start * 1000).toISOString().slice(0, 10)}`,
  })
  yield gauge('audit_context_info', { ...context, version: String(index + 1) }, 1, start)
  yield gauge('audit_context_first_seen_timestamp_seconds', context, start, start)
  yield gauge('context_hash:audit_context_first_seen_timestamp_seconds:min', context, start, start)
  yield gauge('context_hash:audit_context_order:rank', context, index + 1, start)
  yield gauge('context_hash:audit_context_version:info', named('', revision), 1, start)
  if (before !== undefined)
    yield gauge(
      'context_hash:audit_context_previous:info',
      { ...named('', revision), ...named('previous_', before) },
      1,
      start,
    )
}

function* ofPrompts(all: Span, counter: Counter): Iterable<Series> {
  for (const index of numbers(PROMPT_VERSIONS)) {
    const version = { instruction_version: `prompt_v${index}` }
    for (const phase of ['implement', 'rework']) {
      for (const outcome of ['first_pass', 'after_rework', 'failed', 'abandoned'])
        yield counter(nameOf('instructionBuilds'), { ...version, phase, outcome }, all, 100 + index)
      for (const type of ['prompt', 'completion'])
        yield counter(nameOf('instructionTokens'), { ...version, phase, type }, all, 900_000)
    }
    yield counter(nameOf('instructionReworkCompletionTokens'), version, all, 300_000)
    yield counter(nameOf('instructionReworkErrorLogChars'), version, all, 500_000 + index)
  }
}

function* ofSteps(all: Span, counter: Counter): Iterable<Series> {
  const bounds = [...(CATALOGUE.stepTokenCost.buckets ?? []).map(String), '+Inf']
  for (const [step, phase] of Object.entries({
    scaffold: 'scaffold',
    implement_v1: 'implement',
    fix_attempt_1: 'rework',
  }))
    for (const [index, le] of bounds.entries())
      yield counter(
        `${nameOf('stepTokenCost')}_bucket`,
        { step, phase, le },
        all,
        (BUILDS_PER_REVISION * index) / 2,
      )
  for (const phase of ['scaffold', 'implement', 'rework'])
    for (const model of ['gemini-pro', 'gemini-flash']) {
      yield counter(nameOf('costUsd'), { phase, model }, all, 100)
      for (const type of ['prompt', 'cached', 'completion'])
        yield counter(nameOf('modelTokens'), { phase, model, type }, all, 9_000_000)
    }
}

function* ofExporter(all: Span, counter: Counter): Iterable<Series> {
  for (const result of ['entry', 'rejected', 'blank'])
    yield counter(nameOf('readBytes'), { result }, all, 1e9)
  for (const reason of ['json', 'schema', 'too_long'])
    yield counter(nameOf('rejectedLines'), { reason }, all, 40)
  for (const label of ['step', 'error_type', 'context_hash'])
    yield counter(nameOf('labelOverflow'), { label }, all, 4)
  yield counter(nameOf('entryWarnings'), { reason: 'clock' }, all, 20)
  yield counter(nameOf('truncations'), {}, all, 3)
  yield counter(nameOf('rotations'), {}, all, 90)
  yield counter('audit_exporter_file_errors_total', { operation: 'open' }, all, 3)
  yield counter('audit_exporter_commits_total', {}, all, 400_000)
  yield counter('process_cpu_seconds_total', {}, all, 30_000)
  for (const [index, le] of ['0.001', '0.005', '0.01', '0.05', '0.1', '+Inf'].entries())
    yield counter('audit_exporter_commit_duration_seconds_bucket', { le }, all, 80_000 * index)
}

function* gaugesOfExporter({ start }: Span, gauge: Gauge): Iterable<Series> {
  yield gauge('up', {}, 1)
  yield gauge(
    'ALERTS',
    { alertname: 'Watchdog', alertstate: 'firing', severity: 'none', audit: 'alerting' },
    1,
  )
  yield gauge('audit_exporter_build_info', { version: '0.1.0' }, 1)
  yield gauge('audit_exporter_state_created_timestamp_seconds', {}, start)
  yield gauge('process_start_time_seconds', {}, start)
  yield gauge('audit_last_entry_timestamp_seconds', {}, start)
  for (const state of ['active', 'idle']) yield gauge('audit_exporter_files', { state }, 10)
  for (const name of [
    'audit_builds_in_progress',
    'audit_exporter_pending_bytes',
    'audit_exporter_lag_bytes',
    'audit_exporter_series',
    'audit_exporter_state_bytes',
    'audit_exporter_state_durable',
    'audit_exporter_ready',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ])
    yield gauge(name, {}, 1)
}
