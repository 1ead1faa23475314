import { appendFileSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** One step of a build: when it is written, in milliseconds after the start, and its fields. */
interface Step {
  readonly atMs: number
  readonly step: string
  readonly fields: Readonly<Record<string, unknown>>
}

type Outcome = 'first_pass' | 'after_rework' | 'failed' | 'abandoned'

/** What one build writes, and what must be counted of it. */
export interface ShortBuild {
  readonly name: string
  readonly outcome: Outcome
  readonly steps: readonly Step[]
}

const OUTCOMES: readonly Outcome[] = ['first_pass', 'after_rework', 'failed', 'abandoned']
const CONTEXT = 'c'.repeat(64)

/** A build that takes `lifeMs`; its steps come at uneven moments, the last one at its end. */
export function shortBuild(number: number, lifeMs: number): ShortBuild {
  const outcome = OUTCOMES[number % OUTCOMES.length]!
  const fails = {
    validation_status: 'fail',
    validation_error_type: 'TSC_ERROR',
    error_full: 'x'.repeat(200 + number),
  }
  const plan: [string, Record<string, unknown>][] = [
    ['scaffold', {}],
    ['implement_v1', outcome === 'first_pass' ? { validation_status: 'pass' } : {}],
    ...(outcome === 'after_rework' || outcome === 'failed'
      ? ([
          ['initial_verification', fails],
          ['fix_attempt_1', {}],
          ['fix_attempt_2', {}],
        ] as [string, Record<string, unknown>][])
      : []),
    // Without a verification a build closes with its exporter.
    ...(outcome === 'after_rework'
      ? ([['final_verification', { validation_status: 'pass' }]] as [string, Record<string, unknown>][])
      : []),
  ]
  const steps = plan.map(([step, fields], i) => ({
    atMs: Math.round(lifeMs * ((i + 1) / plan.length) ** 1.5),
    step,
    fields: {
      prompt_token_count: 1_000 + 37 * number + i,
      completion_token_count: 200 + 11 * number + i,
      context_file_hash: CONTEXT,
      instruction_version: 'p1',
      files_touched: ['a.ts', 'b.ts', 'c.ts'].slice(number % 3),
      duration_ms: 500 + 100 * i + number,
      ...fields,
    },
  }))
  return { name: `build-${number}`, outcome, steps }
}

/** Writes the lines of a build in real time; returns them, parsed, after the last one. */
export async function writeBuild(root: string, build: ShortBuild): Promise<Line[]> {
  const directory = path.join(root, build.name)
  mkdirSync(directory, { recursive: true })
  const startedMs = performance.now()
  const written: Line[] = []
  for (const { atMs, step, fields } of build.steps) {
    await wait(Math.max(0, startedMs + atMs - performance.now()))
    const line = {
      workflow_run_id: build.name,
      step_name: step,
      timestamp: new Date().toISOString(),
      ...fields,
    } as unknown as Line
    appendFileSync(path.join(directory, 'audit_trace.jsonl'), `${JSON.stringify(line)}\n`)
    written.push(line)
  }
  return written
}

interface Line {
  readonly step_name: string
  readonly timestamp: string
  readonly prompt_token_count: number
  readonly completion_token_count: number
  readonly files_touched: readonly string[]
  readonly duration_ms: number
  readonly error_full?: string
}

/** Sums by metric and its most telling label, as they follow from the lines alone. */
export function expectedOf(
  builds: readonly { build: ShortBuild; lines: readonly Line[] }[],
): Map<string, number> {
  const sums = new Map<string, number>()
  const add = (key: string, value: number): void => void sums.set(key, (sums.get(key) ?? 0) + value)
  const observe = (metric: string, label: string, value: number): void => {
    add(`${metric}_count ${label}`, 1)
    add(`${metric}_sum ${label}`, value)
  }
  for (const { build, lines } of builds) {
    let tokens = 0
    let fixes = 0
    let log = 0
    for (const line of lines) {
      const phase = phaseOf(line.step_name)
      const spent = line.prompt_token_count + line.completion_token_count
      tokens += spent
      add(`audit_entries_total ${line.step_name}`, 1)
      add('audit_tokens_total prompt', line.prompt_token_count)
      add('audit_tokens_total completion', line.completion_token_count)
      observe('audit_step_token_cost', line.step_name, spent)
      observe('audit_files_touched', phase, line.files_touched.length)
      observe('audit_step_duration_seconds', phase, line.duration_ms / 1000)
      if (line.error_full !== undefined) log = line.error_full.length
      if (phase !== 'rework') continue
      fixes++
      observe('audit_error_log_chars', 'TSC_ERROR', log)
      observe('audit_rework_cost_factor', 'TSC_ERROR', line.completion_token_count / log)
    }
    const [first, last] = [lines[0]!, lines.at(-1)!]
    const startedMs = Date.parse(first.timestamp) - first.duration_ms
    add(`audit_builds_total ${build.outcome}`, 1)
    add(`audit_build_tokens_total ${build.outcome}`, tokens)
    observe('audit_build_token_cost', build.outcome, tokens)
    observe('audit_build_duration_seconds', build.outcome, (Date.parse(last.timestamp) - startedMs) / 1000)
    observe('audit_build_rework_steps', build.outcome, fixes)
  }
  return sums
}

function phaseOf(step: string): string {
  if (step.startsWith('fix')) return 'rework'
  return step.includes('verification') ? 'verify' : step.replace(/_v1$/, '')
}

/** The label by which `expectedOf` tells the series of a metric apart. */
const LABELS: readonly [RegExp, string][] = [
  [/^audit_(entries|step_token_cost)/, 'step'],
  [/^audit_tokens/, 'type'],
  [/^audit_(files_touched|step_duration)/, 'phase'],
  [/^audit_(error_log_chars|rework_cost_factor)/, 'error_type'],
  [/^audit_build/, 'outcome'],
]

/** The key of `expectedOf` for a series; `undefined` for a metric that is not compared. */
function keyOf(labels: Readonly<Record<string, string>>): string | undefined {
  const name = labels['__name__'] ?? ''
  const label = LABELS.find(([pattern]) => pattern.test(name))?.[1]
  return label === undefined ? undefined : `${name} ${labels[label] ?? ''}`
}

/** The values of series that began at zero, added up as `expectedOf` does. */
export function sumsOf(
  series: readonly { readonly labels: Readonly<Record<string, string>>; readonly value: number }[],
): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { labels, value } of series) {
    const key = keyOf(labels)
    if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return sums
}
