import { ENOUGH } from '../../grafana/parts/promql.ts'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { createHash } from 'node:crypto'
import { parse } from 'yaml'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { ruleFiles } from '../../prometheus/rules.ts'
import type { Written } from './compare.ts'
import { queryOf } from '../setup/board-variables.ts'
import { boards, EVERYTHING, filled } from './panel-queries.ts'

/** The full hash of a revision. */
export const hashOf = (revision: string): string => createHash('sha256').update(revision).digest('hex')

/** Writes builds of one exporter's directory, with the fields that the panels need. */
export function createWriter(root: string) {
  const counts = { entries: 0, builds: 0, tokens: 0 }
  function append(build: string, step: string, fields: Readonly<Record<string, unknown>>): void {
    const directory = path.join(root, build)
    mkdirSync(directory, { recursive: true })
    const line = {
      workflow_run_id: build,
      step_name: step,
      timestamp: new Date().toISOString(),
      prompt_token_count: 900 + 7 * counts.entries,
      completion_token_count: 100 + 3 * counts.entries,
      context_token_count: 300,
      instruction_token_count: 200,
      instruction_version: `p${counts.entries % 2}`,
      files_touched: ['a.ts', 'b.ts'].slice(counts.entries % 2),
      project: `team-${build.slice(0, 1)}`,
      model: 'gemini',
      cost_usd: 0.25,
      validation_status: 'N/A',
      ...fields,
    }
    appendFileSync(path.join(directory, 'audit_trace.jsonl'), `${JSON.stringify(line)}\n`)
    counts.entries++
    counts.tokens += line.prompt_token_count + line.completion_token_count
  }
  return {
    counts,
    /** The first steps of a build, up to its failing verification with this error, if any. */
    begin(build: string, revision: string, error?: string): void {
      const context = { context_file_hash: hashOf(revision) }
      append(build, 'scaffold', context)
      append(build, 'implement_v1', context)
      if (error === undefined) return
      append(build, 'initial_verification', {
        ...context,
        validation_status: 'fail',
        validation_error_type: error,
        error_full: 'x'.repeat(400),
      })
    },
    /** The last steps; `fixes`: those of its rework. */
    end(build: string, revision: string, fixes = 0): void {
      const context = { context_file_hash: hashOf(revision) }
      for (let fix = 1; fix <= fixes; fix++) append(build, `fix_attempt_${fix}`, context)
      append(build, 'final_verification', { ...context, validation_status: 'pass' })
      counts.builds++
    },
    build(build: string, revision: string, error?: string): void {
      this.begin(build, revision, error)
      this.end(build, revision, error === undefined ? 0 : 2)
    },
  }
}

/** What several writers have written together. */
export const totalOf = (writers: Readonly<Record<string, { counts: Written }>>): Written => {
  const sum = (what: keyof Written): number =>
    Object.values(writers).reduce((total, { counts }) => total + counts[what], 0)
  return { entries: sum('entries'), builds: sum('builds'), tokens: sum('tokens') }
}

/** The job of the exporters in the alerts. */
export const JOB = 'audit-trace-exporter'

/** Alerts and panels that need more builds than there are, or a fault. */
export const MAY_BE_EMPTY =
  /^Audit|Firing alerts|Implement prompt versions|Fix prompt versions|by (implement|fix) prompt version|First-pass rate by revision|Error rates by revision|Error types with|Error rates before|Tokens and fixes by revision|Failed validations by check|Builds by revision B/

/** What variables are if these revisions are chosen. */
const SOME: ReadonlyMap<string, string> = new Map([
  ...EVERYTHING,
  ['family', 'audit_'],
  ['scope', 'audit_'],
  ...['context', 'revisions', 'newest'].map(
    (name) =>
      [
        name,
        `(${['one', 'two', 'four'].map((revision) => hashOf(revision).slice(0, 12)).join('|')})`,
      ] as const,
  ),
])

/** Panels about single processes: they cannot agree. */
const ABOUT_PROCESSES = new Set([
  'Exporters',
  // Since when: the start of each server.
  'Firing alerts by severity',
  'Version',
  'Files by state',
  'File errors, truncations and rotations',
  'Series',
  'Commit duration',
  'Commits per second',
  'Memory and state size',
  'CPU usage',
])

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: { readonly audit: string }
}
const rulesOf = (file: string): Rule[] =>
  (parse(ruleFiles(DEFAULT_OPTIONS).get(file)!) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    ({ rules }) => rules,
  )

/** Recorded increases as expressions: the recent windows are now `recent`, and the baseline is the time before. */
function expressions(recent: number): ReadonlyMap<string, string> {
  const inSeconds = (expr: string): string =>
    expr
      .replaceAll(/\[7d\] offset \d+[hd]/g, `[${recent}s] offset ${recent}s`)
      .replaceAll(/\[1h\] offset (174h|8d)/g, `[1h] offset ${2 * recent}s`)
      .replaceAll(/\[(169h)\] offset \d+[hd]/g, `[${recent + 3600}s] offset ${recent}s`)
      .replaceAll(/\[1h\] offset (1h|6h|1d|30d)/g, `[1h] offset ${recent}s`)
      .replaceAll(/\[(2h|7h|25h|721h)\]/g, `[${recent + 3600}s]`)
      .replaceAll(/\[(1h|6h|1d|30d)\](?! offset)/g, `[${recent}s]`)
  const known = new Map<string, string>()
  for (const { record, expr } of rulesOf('recording.yml'))
    known.set(record!, expanded(inSeconds(expr), known))
  return known
}

const expanded = (expr: string, known: ReadonlyMap<string, string>): string =>
  expr.replaceAll(/\b[a-z_]+:[a-z_]+:\w+/g, (name) => (known.has(name) ? `(${known.get(name)!})` : name))

/**
 * Everything that must not depend on the number of exporters, as instant queries by name: panels, marks, recording
 * rules, and alerts about builds. `range`: the time range of the dashboards, in seconds.
 */
export function queriesOf(range: number): ReadonlyMap<string, string> {
  // There are too few builds for rates, which are to be compared all the same.
  const window = `${range}s`
  const fill = (expr: string, values?: ReadonlyMap<string, string>): string =>
    filled(expr.replaceAll(`>= ${ENOUGH}`, '>= 1'), window, { window, interval: window, values })
  const queries = new Map<string, string>()
  for (const { uid, panels, annotations, templating } of boards) {
    for (const { title, targets } of panels) {
      if (ABOUT_PROCESSES.has(title)) continue
      for (const { refId, expr } of targets) {
        queries.set(`${uid}: ${title} ${refId}`, fill(expr))
        if (/\$(revisions|context|newest)/.test(expr))
          queries.set(`${uid}: ${title} ${refId}, some revisions`, fill(expr, SOME))
      }
    }
    for (const variable of templating.list) {
      const query = queryOf(variable)
      if (query !== undefined) queries.set(`${uid}: variable ${variable.name}`, fill(query))
    }
    for (const { name, expr } of annotations.list)
      if (expr !== undefined) queries.set(`${uid}: mark ${name}`, fill(expr))
  }
  const recorded = expressions(range)
  for (const [name, expr] of recorded) queries.set(name, expr)
  for (const { record } of rulesOf('revisions.yml')) queries.set(record!, record!)
  for (const { alert, expr, labels } of rulesOf('alerts.yml'))
    if (labels?.audit === 'builds') queries.set(alert!, expanded(expr, recorded))
  return queries
}

/** Writes the rule files, evaluated every second, those about lives, which look at all series, every five; returns their paths. */
export const writeQuickRules = (directory: string): string[] =>
  [...ruleFiles(DEFAULT_OPTIONS)].map(([name, text]) => {
    const file = path.join(directory, name)
    writeFileSync(
      file,
      text.replaceAll(/interval: \d+m/g, name === 'lives.yml' ? 'interval: 5s' : 'interval: 1s'),
    )
    return file
  })
