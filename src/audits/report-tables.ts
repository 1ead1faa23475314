import type { Comparison, Report } from './schema.ts'
import {
  counted,
  day,
  decimal,
  interval,
  number,
  orNone,
  percent,
  points,
  probability,
  shownOf,
  signed,
  typeName,
} from '../render/format.ts'
import { changeName, mostFrequent } from './words.ts'

/** One table of the report as text, for Markdown and HTML. */
export interface ReportTable {
  readonly title: string
  /** A column whose name starts with `#` holds numbers. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Adds ` (most of all)` to the title where rows were cut. */
const cut = (table: ReportTable, most: number, rows: ReportTable['rows']): ReportTable => ({
  ...table,
  title: `${table.title}${shownOf(table.rows.length, most)}`,
  rows,
})

/** The first `most` rows, for ranked tables. */
export const firstRows = (table: ReportTable, most: number): ReportTable =>
  cut(table, most, table.rows.slice(0, most))

/** The last `most` rows, for tables in order of time. */
export const lastRows = (table: ReportTable, most: number): ReportTable =>
  cut(table, most, table.rows.slice(-most))

export const fixTable = ({ token_efficiency: { fix_cost: rows } }: Report): ReportTable => ({
  title: 'Fix attempts by the error that they answer',
  columns: ['Error type', '#Fixes', '#Tokens', '#Mean tokens per fix (95 %)', '#Rework cost factor'],
  rows: rows.map((row) => [
    typeName(row.error_type),
    number(row.fixes),
    number(row.tokens),
    interval(row.mean_tokens, number),
    orNone(row.rework_cost_factor, decimal),
  ]),
})

export const promptTable = ({ token_efficiency: { prompt_share: rows } }: Report): ReportTable => ({
  title: 'Prompt tokens by part',
  columns: ['Phase', '#GEMINI.md', '#Instruction', '#Other', '#GEMINI.md, share of the prompt'],
  rows: rows.map((row) => [
    row.phase,
    number(row.context_tokens),
    number(row.instruction_tokens),
    number(row.other_tokens),
    orNone(row.context_share, percent),
  ]),
})

export const stepTable = ({ token_efficiency: { steps } }: Report): ReportTable => ({
  title: 'Most expensive steps',
  columns: ['Step', 'Phase', '#Entries', '#Tokens', '#Per entry', '#Share'],
  rows: steps.map((row) => [
    row.step,
    row.phase,
    number(row.entries),
    number(row.tokens),
    orNone(row.mean_tokens, number),
    orNone(row.share, percent),
  ]),
})

/** Empty unless there are costs or projects. */
export function spendingTables({ token_efficiency: { models, projects } }: Report): ReportTable[] {
  const isOfUse = models.some(({ project, cost_usd: cost }) => project !== null || cost !== null)
  const modelTable: ReportTable = {
    title: 'Tokens and cost by project and model',
    columns: ['Project', 'Model', '#Entries', '#Tokens', '#US dollars'],
    rows: models.map((row) => [
      row.project ?? '(none)',
      row.model ?? '(none)',
      number(row.entries),
      number(row.tokens),
      orNone(row.cost_usd, decimal),
    ]),
  }
  const projectTable: ReportTable = {
    title: 'Closed builds by project',
    columns: ['Project', '#Builds', '#Tokens'],
    rows: projects.map((row) => [row.project ?? '(none)', number(row.builds), number(row.build_tokens)]),
  }
  return [...(isOfUse ? [modelTable] : []), ...(projects.length > 0 ? [projectTable] : [])]
}

export const errorTable = ({ constraint_effectiveness: { error_types: rows } }: Report): ReportTable => ({
  title: 'Failed validations by error type',
  columns: ['Error type', '#Failures', '#Share', '#Builds', '#Rework tokens'],
  rows: rows.map((row) => [
    typeName(row.error_type),
    number(row.failures),
    percent(row.share),
    number(row.builds),
    number(row.rework_tokens),
  ]),
})

/** In order of time. */
export const revisionTable = ({ constraint_effectiveness: { revisions } }: Report): ReportTable => ({
  title: 'Revisions of GEMINI.md by first sight',
  columns: [
    'Revision',
    'First seen',
    '#Builds',
    '#First-pass rate (95 %)',
    '#Tokens per success',
    'Most frequent first failures',
  ],
  rows: revisions.map((row) => [
    `${row.version} ${row.context_hash}`,
    day(row.first_seen),
    number(row.builds),
    interval(row.first_pass_rate, percent),
    orNone(row.tokens_per_successful_build, number),
    mostFrequent(row),
  ]),
})

/** In order of time. */
export const changeTable = ({ constraint_effectiveness: { changes } }: Report): ReportTable => ({
  title: 'Before and after each revision; q is p after correction for all comparisons',
  columns: ['Change', '#First-pass rate', '#n', '#q', '#Tokens per build', '#n', '#q'],
  rows: changes.map((row) => [
    changeName(row),
    ...difference(row.first_pass_rate, points),
    ...difference(row.tokens_per_build, signed),
  ]),
})

export const implementTable = ({ prompt_refinement: { implement } }: Report): ReportTable => ({
  title: 'Implement steps by prompt version',
  columns: ['Prompt version', '#Steps', '#Completion tokens (95 %)', '#Builds', '#First-pass rate (95 %)'],
  rows: implement.map((row) => [
    row.instruction_version,
    number(row.steps),
    interval(row.completion_tokens, number),
    number(row.builds),
    interval(row.first_pass_rate, percent),
  ]),
})

export const fixPromptTable = ({ prompt_refinement: { fixes } }: Report): ReportTable => ({
  title: 'Fix steps by prompt version',
  columns: [
    'Prompt version',
    '#Fixes',
    '#Completion tokens (95 %)',
    '#Rework cost factor',
    '#Repaired (95 %)',
  ],
  rows: fixes.map((row) => [
    row.instruction_version,
    number(row.fixes),
    interval(row.completion_tokens, number),
    orNone(row.rework_cost_factor, decimal),
    interval(row.pass_rate, percent),
  ]),
})

/** In order of time. */
export const dayTable = ({ context_volatility: { days } }: Report): ReportTable => ({
  title: 'Days with changes of GEMINI.md (UTC)',
  columns: ['Day', '#Changes', '#Revisions', '#Validations passed (95 %)', '#Tokens'],
  rows: days
    .filter(({ changes }) => changes > 0)
    .map((row) => [
      row.day,
      number(row.changes),
      number(row.revisions),
      interval(row.pass_rate, percent),
      number(row.tokens),
    ]),
})

/** A paragraph on how the numbers are calculated. */
export const methodSentences = ({ method, input, prompt_refinement: { comparisons } }: Report): string =>
  `Shares have Wilson intervals, means have t intervals, both at 95 %. ${counted(method.comparisons, 'comparison')} with at least ` +
  `${method.min_group} on each side. A difference is a finding at a false discovery rate of ${percent(method.false_discovery_rate)} ` +
  '(Benjamini-Hochberg) if its interval excludes zero. p-values and intervals are corrected for builds of the same day being ' +
  `alike (Donner and Klar). ${howAssigned(comparisons)} ${counted(input.out_of_order, 'entry', 'entries')} out of order, ${number(input.in_future)} with a timestamp in the future.`

/** Which comparisons tell causes from circumstances. */
function howAssigned(comparisons: Report['prompt_refinement']['comparisons']): string {
  const pairs = new Set(
    comparisons
      .filter((compared) => compared.assigned_at_random)
      .map(({ first, second }) => `${first} and ${second}`),
  )
  if (pairs.size === 0)
    return 'Prompt versions and revisions are compared as they were used, not assigned at random.'
  return (
    `Assigned at random, and compared among the builds of one draw: ${[...pairs].join(', ')}. ` +
    'All other prompt versions, and revisions, are compared as they were used.'
  )
}

function difference(comparison: Comparison | null, form: (value: number) => string): string[] {
  if (comparison === null) return ['not enough data', '', '']
  const { n, difference, q } = comparison
  return [interval(difference, form), `${number(n[0])} and ${number(n[1])}`, probability(q).replace('= ', '')]
}
