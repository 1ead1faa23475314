import type { Report } from '../../src/audits/schema.ts'

/** What a scrape and a report both say about the same traces. Error types, steps and hashes are keys; zeros are left out. */
export interface Figures {
  readonly entries: number
  readonly builds: Readonly<Record<string, number>>
  readonly buildsInProgress: number
  readonly buildTokens: number
  readonly stepEntries: Readonly<Record<string, number>>
  readonly stepTokens: Readonly<Record<string, number>>
  readonly failures: Readonly<Record<string, number>>
  readonly fixes: Readonly<Record<string, number>>
  readonly fixTokens: Readonly<Record<string, number>>
  readonly reworkCompletionTokens: Readonly<Record<string, number>>
  readonly reworkErrorLogChars: Readonly<Record<string, number>>
  /** Closed builds by the short hash of their GEMINI.md. */
  readonly revisions: Readonly<Record<string, number>>
  /** Closed builds by project; `''` for those without one, unless none has one. */
  readonly projects: Readonly<Record<string, number>>
  readonly projectTokens: Readonly<Record<string, number>>
  /** Keys are `project/model`, both `''` if unknown. */
  readonly modelTokens: Readonly<Record<string, number>>
  /** In millionths of a US dollar, rounded: sums of fractions depend on their order. */
  readonly modelCost: Readonly<Record<string, number>>
}

export function figuresOfReport(report: Report): Figures {
  const { totals, token_efficiency: tokens, constraint_effectiveness: constraints } = report
  return {
    entries: totals.entries,
    builds: nonZero(Object.entries(totals.builds)),
    buildsInProgress: totals.builds_in_progress,
    buildTokens: totals.build_tokens,
    stepEntries: nonZero(tokens.steps.map((row) => [row.step, row.entries])),
    stepTokens: nonZero(tokens.steps.map((row) => [row.step, row.tokens])),
    failures: nonZero(constraints.error_types.map((row) => [row.error_type, row.failures])),
    fixes: nonZero(tokens.fix_cost.map((row) => [row.error_type, row.fixes])),
    fixTokens: nonZero(tokens.fix_cost.map((row) => [row.error_type, row.tokens])),
    reworkCompletionTokens: nonZero(tokens.fix_cost.map((row) => [row.error_type, row.completion_tokens])),
    reworkErrorLogChars: nonZero(tokens.fix_cost.map((row) => [row.error_type, row.error_log_chars])),
    revisions: nonZero(constraints.revisions.map((row) => [row.context_hash, row.builds])),
    projects: nonZero(tokens.projects.map((row) => [row.project ?? '', row.builds])),
    projectTokens: nonZero(tokens.projects.map((row) => [row.project ?? '', row.build_tokens])),
    modelTokens: nonZero(
      tokens.models.map((row) => [spender(row), row.model === null ? 0 : row.tokens] as const),
    ),
    modelCost: nonZero(tokens.models.map((row) => [spender(row), microUsd(row.cost_usd ?? 0)] as const)),
  }
}

export function figuresOfScrape(samples: ReadonlyMap<string, number>): Figures {
  const by = (metric: string, label: string, where = ''): Record<string, number> => {
    const sums = new Map<string, number>()
    for (const [key, value] of samples) {
      if (!key.startsWith(`${metric}{`) || !key.includes(where)) continue
      const name = new RegExp(`[{,]${label}="([^"]*)"`, 'u').exec(key)?.[1] ?? ''
      sums.set(name, (sums.get(name) ?? 0) + value)
    }
    return nonZero([...sums])
  }
  const sum = (metric: string): number =>
    Object.values(by(metric, 'no_label')).reduce((total, value) => total + value, 0)
  const revisions = by('audit_builds_total', 'context_hash')
  delete revisions['unknown']
  return {
    entries: sum('audit_entries_total'),
    builds: by('audit_builds_total', 'outcome'),
    buildsInProgress: samples.get('audit_builds_in_progress') ?? Number.NaN,
    buildTokens: sum('audit_build_tokens_total'),
    stepEntries: by('audit_entries_total', 'step'),
    stepTokens: by('audit_tokens_total', 'step'),
    failures: by('audit_entries_total', 'error_type', 'status="fail"'),
    fixes: by('audit_entries_total', 'error_type', 'phase="rework"'),
    fixTokens: by('audit_tokens_total', 'error_type', 'phase="rework"'),
    reworkCompletionTokens: by('audit_rework_completion_tokens_total', 'error_type'),
    reworkErrorLogChars: by('audit_rework_error_log_chars_total', 'error_type'),
    revisions,
    projects: ofProjects(by('audit_builds_total', 'project')),
    projectTokens:
      Object.keys(ofProjects(by('audit_builds_total', 'project'))).length === 0
        ? {}
        : by('audit_build_tokens_total', 'project'),
    modelTokens: nonZero(bySpender(samples, 'audit_model_tokens_total')),
    modelCost: nonZero(
      bySpender(samples, 'audit_cost_usd_total').map(([of, usd]) => [of, microUsd(usd)] as const),
    ),
  }
}

interface Spender {
  readonly project: string | null
  readonly model: string | null
}

const spender = ({ project, model }: Spender): string => `${project ?? ''}/${model ?? ''}`

const microUsd = (usd: number): number => Math.round(usd * 1e6)

/** Sums of a metric by project and model. */
function bySpender(samples: ReadonlyMap<string, number>, metric: string): [string, number][] {
  const sums = new Map<string, number>()
  for (const [key, value] of samples) {
    if (!key.startsWith(`${metric}{`)) continue
    const label = (name: string): string => new RegExp(`[{,]${name}="([^"]*)"`, 'u').exec(key)?.[1] ?? ''
    const model = label('model') === 'unknown' ? '' : label('model')
    const of = spender({ project: label('project'), model })
    sums.set(of, (sums.get(of) ?? 0) + value)
  }
  return [...sums]
}

/** Without projects there is nothing to divide. */
const ofProjects = (sums: Record<string, number>): Record<string, number> =>
  Object.keys(sums).some((project) => project !== '') ? sums : {}

const nonZero = (pairs: readonly (readonly [string, number])[]): Record<string, number> =>
  Object.fromEntries(pairs.filter(([, value]) => value !== 0).toSorted(([a], [b]) => (a < b ? -1 : 1)))
