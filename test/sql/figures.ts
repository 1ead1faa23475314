import type { Report } from '../../src/audits/schema.ts'
import { meanEstimate } from '../../src/audits/statistics.ts'
import type { Row, Tables } from './engines.ts'

/**
 * The figures of a report that docs/sql calculates, in the form of the report. Not calculated are tests, the intervals of
 * differences, and the texts that follow from them.
 */
export const figuresOfReport = (report: Report) => ({
  input: report.input,
  period: { first_entry: report.period.first_entry, last_entry: report.period.last_entry },
  totals: report.totals,
  token_efficiency: report.token_efficiency,
  constraint_effectiveness: {
    error_types: report.constraint_effectiveness.error_types,
    revisions: report.constraint_effectiveness.revisions,
    changes: report.constraint_effectiveness.changes.map((change) => ({
      from: change.from,
      to: change.to,
      side_by_side: change.side_by_side,
      first_pass_rate: sidesOf(change.first_pass_rate),
      tokens_per_build: sidesOf(change.tokens_per_build),
      first_failures: change.first_failures.map(({ error_type, rate }) => ({
        error_type,
        rate: sidesOf(rate),
      })),
    })),
  },
  prompt_refinement: {
    ...report.prompt_refinement,
    comparisons: report.prompt_refinement.comparisons.map(({ comparison, ...compared }) => ({
      ...compared,
      comparison: sidesOf(comparison),
    })),
  },
  context_volatility: report.context_volatility,
})

type Figures = ReturnType<typeof figuresOfReport>
type Compared = Report['prompt_refinement']['comparisons'][number]['comparison']

const sidesOf = (comparison: Compared | null) =>
  comparison && { n: comparison.n, first: comparison.first, second: comparison.second }

/** The views from which `figuresOfTables` takes them. */
export const VIEWS = [
  'completeness',
  'input',
  'totals_entries',
  'totals_builds',
  'token_efficiency_fix_cost',
  'token_efficiency_prompt_share',
  'token_efficiency_steps',
  'token_efficiency_models',
  'token_efficiency_projects',
  'constraint_effectiveness_error_types',
  'constraint_effectiveness_revisions',
  'constraint_effectiveness_first_failures',
  'constraint_effectiveness_changes',
  'prompt_refinement_implement',
  'prompt_refinement_fixes',
  'prompt_refinement_sides',
  'context_volatility_changes',
  'context_volatility_days',
] as const

/** The same from the views of docs/sql. Which pairs are compared, and which have too few builds, is taken from `report`. */
export function figuresOfTables(tables: Tables, report: Report): unknown {
  const rowsOf = (view: (typeof VIEWS)[number]): readonly Row[] => tables[view] ?? []
  const [entries = {}] = rowsOf('totals_entries')
  const [builds = {}] = rowsOf('totals_builds')
  const [volatility = {}] = rowsOf('context_volatility_changes')
  return {
    input: rowsOf('input')[0],
    period: { first_entry: iso(entries['first_entry_ms']), last_entry: iso(entries['last_entry_ms']) },
    totals: {
      entries: entries['entries'],
      tokens: entries['tokens'],
      cost_usd: entries['cost'],
      builds: pick(builds, 'first_pass', 'after_rework', 'failed', 'abandoned'),
      builds_in_progress: builds['in_progress'],
      first_pass_rate: rate(builds, 'first_pass_rate'),
      ...pick(builds, 'build_tokens', 'tokens_per_successful_build'),
    },
    token_efficiency: {
      fix_cost: rowsOf('token_efficiency_fix_cost').map(({ n, mean_tokens, standard_error, ...row }) => ({
        ...row,
        mean_tokens: mean(n, mean_tokens, standard_error),
      })),
      prompt_share: rowsOf('token_efficiency_prompt_share'),
      steps: rowsOf('token_efficiency_steps'),
      models: rowsOf('token_efficiency_models').map(({ cost, ...row }) => ({ ...row, cost_usd: cost })),
      projects: rowsOf('token_efficiency_projects'),
    },
    constraint_effectiveness: {
      error_types: rowsOf('constraint_effectiveness_error_types'),
      revisions: rowsOf('constraint_effectiveness_revisions').map((row) => ({
        ...pick(row, 'context_hash', 'builds', 'judged', 'first_pass', 'tokens', 'successes'),
        ...pick(row, 'tokens_per_successful_build'),
        version: `v${row['version']}`,
        first_seen: iso(row['first_seen_ms']),
        current: row['is_current'] === 1,
        first_pass_rate: rate(row, 'first_pass_rate'),
        first_failures: rowsOf('constraint_effectiveness_first_failures')
          .filter(({ context_hash }) => context_hash === row['context_hash'])
          .map((failure) => ({ ...pick(failure, 'error_type', 'builds'), rate: rate(failure, 'rate') })),
      })),
      changes: changes(tables, report),
    },
    prompt_refinement: {
      implement: rowsOf('prompt_refinement_implement').map((row) => ({
        ...pick(row, 'instruction_version', 'steps', 'builds', 'judged', 'first_pass'),
        completion_tokens: mean(row['n'], row['mean_completion_tokens'], row['standard_error']),
        first_pass_rate: rate(row, 'first_pass_rate'),
      })),
      fixes: rowsOf('prompt_refinement_fixes').map((row) => ({
        ...pick(row, 'instruction_version', 'fixes', 'rework_cost_factor', 'judged', 'passed'),
        completion_tokens: mean(row['n'], row['mean_completion_tokens'], row['standard_error']),
        pass_rate: rate(row, 'pass_rate'),
      })),
      comparisons: comparisons(tables, report),
    },
    context_volatility: {
      ...volatility,
      days: rowsOf('context_volatility_days').map((row) => ({
        ...pick(row, 'day', 'revisions', 'changes', 'validations', 'passed', 'tokens'),
        pass_rate: rate(row, 'pass_rate'),
      })),
    },
  }
}

/** The report leaves out the sides of comparisons with too few builds; so does this. */
function changes(tables: Tables, report: Report): Figures['constraint_effectiveness']['changes'] {
  return (tables['constraint_effectiveness_changes'] ?? []).map((row) => {
    const [from, to] = [`v${row['from_version']}`, `v${row['to_version']}`]
    const reported = report.constraint_effectiveness.changes.find(
      (change) => change.from === from && change.to === to,
    )
    const hashOf = (version: string) =>
      report.constraint_effectiveness.revisions.find((revision) => revision.version === version)?.context_hash
    const failures = (version: string, type: string) => {
      const ofRevision = (tables['constraint_effectiveness_first_failures'] ?? []).filter(
        ({ context_hash }) => context_hash === hashOf(version),
      )
      const ofType = ofRevision.find(({ error_type }) => error_type === type)
      return { n: Number(ofRevision[0]?.['n']), rate: Number(ofType?.['rate'] ?? 0) }
    }
    const sides = (n: string, value: string) => ({
      n: [row[`from_${n}`], row[`to_${n}`]] as [number, number],
      first: row[`from_${value}`] as number,
      second: row[`to_${value}`] as number,
    })
    return {
      from,
      to,
      side_by_side: row['side_by_side'] === 1,
      first_pass_rate: reported?.first_pass_rate ? sides('judged', 'first_pass_rate') : null,
      tokens_per_build: reported?.tokens_per_build ? sides('builds', 'tokens_per_build') : null,
      first_failures: (reported?.first_failures ?? []).map(({ error_type: type }) => {
        const [first, second] = [failures(from, type), failures(to, type)]
        return { error_type: type, rate: { n: [first.n, second.n], first: first.rate, second: second.rate } }
      }),
    }
  })
}

function comparisons(tables: Tables, report: Report): Figures['prompt_refinement']['comparisons'] {
  return report.prompt_refinement.comparisons.map(({ comparison: _comparison, ...compared }) => {
    const side = (version: string) => {
      const row = tables['prompt_refinement_sides']?.find(
        ({ phase, is_drawn, instruction_version }) =>
          phase === compared.phase &&
          is_drawn === (compared.assigned_at_random ? 1 : 0) &&
          instruction_version === version,
      )
      return compared.measure === 'completion_tokens'
        ? { n: Number(row?.['n']), value: Number(row?.['mean_completion_tokens']) }
        : { n: Number(row?.['judged']), value: Number(row?.['pass_rate']) }
    }
    const [first, second] = [side(compared.first), side(compared.second)]
    return { ...compared, comparison: { n: [first.n, second.n], first: first.value, second: second.value } }
  })
}

type Cell = Row[string] | undefined

const pick = (row: Row, ...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [name, row[name]]))

const iso = (ms: Cell): string | null => (typeof ms === 'number' ? new Date(ms).toISOString() : null)

const rate = (row: Row, name: string) =>
  row[name] === null ? null : { value: row[name], low: row[`${name}_low`], high: row[`${name}_high`] }

/** The report's interval from the standard error. */
const mean = (n: Cell, value: Cell, standardError: Cell) =>
  meanEstimate({ n: Number(n), mean: Number(value), variance: Number(standardError) ** 2 * Number(n) })

/** Objects with their keys in order, lists in order of their texts: engines return rows in any order. */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) {
    const textsOf = (each: unknown): string =>
      JSON.stringify(each, (_, inner: unknown) => (typeof inner === 'number' ? undefined : inner))
    return value.map(canonical).toSorted((a, b) => (textsOf(a) < textsOf(b) ? -1 : 1))
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, canonical(inner)]),
  )
}
