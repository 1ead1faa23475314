import { seriesKey } from '../setup/exposition.ts'
import type { Line } from './lines.ts'

/** What must stand in the totals: counters by series key, histograms by the key of their labels. */
export interface Truth {
  readonly counters: Map<string, number>
  readonly histograms: Map<string, { name: string; labels: Record<string, string>; values: number[] }>
  readonly openBuilds: number
}

/** Counters that add up others, by fewer labels. */
const SUMS: Readonly<Record<string, readonly (readonly [name: string, labels: readonly string[]])[]>> = {
  audit_entries_total: [
    ['audit_overall_entries_total', ['step', 'phase', 'status', 'error_type']],
    ['audit_context_entries_total', ['phase', 'status', 'context_hash']],
    ['audit_phase_entries_total', ['phase', 'status']],
  ],
  audit_tokens_total: [
    ['audit_overall_tokens_total', ['step', 'phase', 'error_type', 'type']],
    ['audit_phase_tokens_total', ['phase', 'type']],
  ],
  audit_prompt_tokens_total: [['audit_overall_prompt_tokens_total', ['phase', 'part']]],
  audit_rework_completion_tokens_total: [
    ['audit_overall_rework_completion_tokens_total', ['error_type']],
    ['audit_phase_rework_completion_tokens_total', []],
  ],
  audit_rework_error_log_chars_total: [
    ['audit_overall_rework_error_log_chars_total', ['error_type']],
    ['audit_phase_rework_error_log_chars_total', []],
  ],
  audit_builds_total: [['audit_overall_builds_total', ['outcome']]],
  audit_build_tokens_total: [['audit_overall_build_tokens_total', ['outcome']]],
}

interface Build {
  outcome: string | undefined
  context: string
  /** The context when it closed. */
  closingContext: string
  failed: boolean
  passedStep: boolean
  reworks: number
  tokens: number
  failType: string
  failChars: number | undefined
  firstMs: number
  lastMs: number | undefined
  readonly wordings: Map<string, { phase: string; version: string }>
}

/**
 * Counts lines as the catalogue of metrics says they count, from what they are by construction. Written
 * apart from the exporter and in another way: every line of every file at once, nothing incremental.
 * `closeAll`: builds that are still open have timed out.
 */
export function countTruth(files: readonly (readonly Line[])[], closeAll: boolean): Truth {
  const counters = new Map<string, number>()
  const histograms: Truth['histograms'] = new Map()
  const add = (name: string, labels: Record<string, string>, amount: number): void => {
    const key = seriesKey(name, labels)
    counters.set(key, (counters.get(key) ?? 0) + amount)
    for (const [sum, kept] of SUMS[name] ?? [])
      add(sum, Object.fromEntries(kept.map((label) => [label, labels[label] ?? ''])), amount)
  }
  const observe = (name: string, labels: Record<string, string>, value: number): void => {
    const key = seriesKey(name, labels)
    const known = histograms.get(key)
    if (known === undefined) histograms.set(key, { name, labels, values: [value] })
    else known.values.push(value)
  }
  const builds = new Map<string, Build>()

  for (const lines of files) {
    for (const line of lines) {
      const result = line.kind === 'entry' ? 'counted' : isSkipped(line) ? 'skipped' : 'rejected'
      add('audit_exporter_read_bytes_total', { result }, line.bytes.length)
      if (line.kind === 'entry') countEntry(line.entry ?? {})
      else if (line.kind !== 'skipped') add('audit_exporter_rejected_lines_total', { reason: line.kind }, 1)
    }
  }
  let openBuilds = 0
  for (const build of builds.values()) {
    if (build.outcome !== undefined) continue
    if (closeAll) close(build, build.passedStep ? passed(build) : build.failed ? 'failed' : 'abandoned')
    else openBuilds++
  }
  return { counters, histograms, openBuilds }

  function countEntry(entry: Readonly<Record<string, unknown>>): void {
    const number = (key: string): number | undefined => (entry[key] as number | null) ?? undefined
    const text = (key: string): string => (entry[key] as string | undefined) ?? ''
    const step = label(text('step_name'))
    const promptVersion = text('instruction_version') || versionInStep(text('step_name'))
    const phase = phaseOf(text('step_name'))
    const rework = phase === 'rework'
    const status = text('validation_status') || 'N/A'
    const timeMs = Date.parse(text('timestamp'))
    const build = buildOf(text('workflow_run_id'))

    const context = text('context_file_hash').slice(0, 12) || build.context
    const error_type = label(text('validation_error_type') || (rework ? build.failType : ''))
    let prompt = number('prompt_token_count')
    let completion = number('completion_token_count')
    const given = number('total_token_cost')
    const total =
      prompt !== undefined && completion !== undefined
        ? prompt + completion
        : [given, prompt, completion].reduce((a, b) => (a === undefined || (b ?? 0) > a ? b : a))
    if (given !== undefined && given !== total)
      add('audit_exporter_entry_warnings_total', { reason: 'total_mismatch' }, 1)
    if (given !== undefined && prompt !== undefined) completion ??= given - prompt
    else if (given !== undefined && completion !== undefined) prompt ??= given - completion

    add('audit_entries_total', { step, phase, status, error_type, context_hash: context }, 1)
    const byType =
      prompt === undefined && completion === undefined ? { unsplit: total } : { prompt, completion }
    for (const [type, amount] of Object.entries(byType)) {
      if (amount === undefined) continue
      add('audit_tokens_total', { step, phase, error_type, context_hash: context, type }, amount)
      const version = promptVersion
      if (version !== '')
        add('audit_instruction_tokens_total', { instruction_version: version, phase, type }, amount)
    }
    if (total !== undefined) observe('audit_step_token_cost', { step, phase }, total)
    const contextTokens = number('context_token_count')
    if (contextTokens !== undefined && prompt !== undefined) {
      add('audit_prompt_tokens_total', { phase, context_hash: context, part: 'context' }, contextTokens)
      add(
        'audit_prompt_tokens_total',
        { phase, context_hash: context, part: 'other' },
        prompt - contextTokens,
      )
    }
    if (rework) {
      const chars = number('error_log_size_chars') ?? build.failChars
      if (chars !== undefined) observe('audit_error_log_chars', { error_type }, chars)
      if (chars !== undefined && completion !== undefined) {
        observe('audit_rework_cost_factor', { error_type }, completion / chars)
        add('audit_rework_completion_tokens_total', { error_type, context_hash: context }, completion)
        add('audit_rework_error_log_chars_total', { error_type, context_hash: context }, chars)
        const version = promptVersion
        if (version !== '') {
          add(
            'audit_instruction_rework_completion_tokens_total',
            { instruction_version: version },
            completion,
          )
          add('audit_instruction_rework_error_log_chars_total', { instruction_version: version }, chars)
        }
      }
    }
    const cost = number('cost_usd')
    if (cost !== undefined) add('audit_cost_usd_total', { phase, model: text('model') }, cost)
    for (const [type, amount] of Object.entries(byType)) {
      if (text('model') === '' || amount === undefined) continue
      add('audit_model_tokens_total', { phase, model: text('model'), type }, amount)
    }
    const files = entry['files_touched'] as unknown[] | undefined
    if (files !== undefined) observe('audit_files_touched', { phase }, files.length)
    const durationMs = number('duration_ms')
    const sinceMs = build.lastMs === undefined ? undefined : timeMs - build.lastMs
    const seconds =
      (durationMs ?? sinceMs) === undefined ? undefined : ((durationMs ?? sinceMs) as number) / 1000
    if (seconds !== undefined && seconds >= 0) observe('audit_step_duration_seconds', { phase }, seconds)

    if (build.outcome !== undefined) {
      if (total !== undefined)
        add('audit_build_tokens_total', { outcome: build.outcome, context_hash: build.closingContext }, total)
      build.context = context
      return
    }
    build.context = context
    build.tokens += total ?? 0
    build.firstMs = Math.min(build.firstMs, timeMs - (durationMs ?? 0))
    build.lastMs = Math.max(build.lastMs ?? timeMs, timeMs)
    const version = promptVersion
    if (version !== '') build.wordings.set(`${phase} ${version}`, { phase, version })
    if (rework) build.reworks++
    if (status === 'fail') {
      build.failed = true
      build.failType = error_type
      build.failChars = number('error_log_size_chars') ?? (entry['error_full'] as string | undefined)?.length
    }
    if (status === 'fail' || phase === 'verify') build.passedStep = false
    else if (status === 'pass' && (phase === 'implement' || rework)) build.passedStep = true
    if (status === 'pass' && phase === 'verify') close(build, passed(build))
  }

  function buildOf(run: string): Build {
    const known = builds.get(run)
    if (known !== undefined) return known
    const build: Build = {
      outcome: undefined,
      context: 'unknown',
      closingContext: 'unknown',
      failed: false,
      passedStep: false,
      reworks: 0,
      tokens: 0,
      failType: '',
      failChars: undefined,
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: undefined,
      wordings: new Map(),
    }
    builds.set(run, build)
    return build
  }

  function close(build: Build, outcome: string): void {
    build.outcome = outcome
    build.closingContext = build.context
    add('audit_builds_total', { outcome, context_hash: build.context }, 1)
    add('audit_build_tokens_total', { outcome, context_hash: build.context }, build.tokens)
    observe('audit_build_token_cost', { outcome }, build.tokens)
    observe('audit_build_duration_seconds', { outcome }, ((build.lastMs ?? 0) - build.firstMs) / 1000)
    observe('audit_build_rework_steps', { outcome }, build.reworks)
    for (const { phase, version } of build.wordings.values())
      add('audit_instruction_builds_total', { instruction_version: version, phase, outcome }, 1)
  }
}

const passed = (build: Build): string => (build.failed || build.reworks > 0 ? 'after_rework' : 'first_pass')

const isSkipped = (line: Line): boolean => line.kind === 'skipped' || line.kind === 'too_long'

/** A plan that compares versions of an instruction writes them into the step's name. */
function versionInStep(step: string): string {
  const version = /^implement_(v\d+)$/u.exec(step)?.[1]
  return version === undefined ? '' : `${version} (step name)`
}

function phaseOf(step: string): string {
  if (step.startsWith('scaffold')) return 'scaffold'
  if (step.startsWith('implement')) return 'implement'
  if (step.startsWith('fix') || step.startsWith('repair')) return 'rework'
  return ['verif', 'valid', 'compliance', 'check'].some((part) => step.includes(part)) ? 'verify' : 'other'
}

/** As a label shows it; the writer uses no value of more than 64 characters. */
const label = (text: string): string => text.replaceAll('\n', '\uFFFD')

/** The samples that a scrape must show for this truth; histograms have the bounds that `scraped` shows. */
export function samplesOf(truth: Truth, scraped: ReadonlyMap<string, number>): Map<string, number> {
  const samples = new Map(truth.counters)
  const bounds = new Map<string, Set<string>>()
  for (const key of scraped.keys()) {
    const [, name, le] = /^(\w+)_bucket\{.*\ble="([^"]+)"/u.exec(key) ?? []
    if (name === undefined || le === undefined) continue
    const known = bounds.get(name)
    if (known === undefined) bounds.set(name, new Set([le]))
    else known.add(le)
  }
  for (const { name, labels, values } of truth.histograms.values()) {
    samples.set(seriesKey(`${name}_count`, labels), values.length)
    samples.set(
      seriesKey(`${name}_sum`, labels),
      values.reduce((a, b) => a + b, 0),
    )
    for (const le of bounds.get(name) ?? []) {
      const bound = le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le)
      samples.set(seriesKey(`${name}_bucket`, { ...labels, le }), values.filter((v) => v <= bound).length)
    }
  }
  return samples
}
