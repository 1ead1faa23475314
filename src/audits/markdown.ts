import { probability } from './insights.ts'
import type { Comparison, Insight, Report } from './schema.ts'
import {
  day,
  decimal,
  interval,
  LISTS,
  mostFrequent,
  notRead,
  number,
  orNone,
  percent,
  points,
  changeName,
  changesSentence,
  shownOf,
  signed,
  typeName,
} from './words.ts'

const MAX_INSIGHTS = 20
const MAX_BRIEF = 10
const MAX_STEPS = 10
const MAX_REVISIONS = 12
const MAX_TYPES = 12

/** The report as it fits a pull request (65,536 characters): GitHub's Markdown, no images, lists cut. */
export function renderMarkdown(report: Report): string {
  const parts = [
    '# Audit of the builds',
    overview(report),
    '## What to change',
    insights(report),
    '## Token efficiency',
    tokenEfficiency(report),
    '## Constraint effectiveness',
    constraints(report),
    '## Prompt refinement',
    prompts(report),
    '## Context volatility',
    volatility(report),
    method(report),
  ]
  return `${parts.join('\n\n')}\n`
}

function overview({ period, input, totals }: Report): string {
  const { builds } = totals
  const closed = builds.first_pass + builds.after_rework + builds.failed + builds.abandoned
  const read =
    `${day(period.first_entry)} to ${day(period.last_entry)}: ${number(totals.entries)} entries of ${number(closed)} closed builds` +
    ` (${number(totals.builds_in_progress)} in progress) in ${number(input.files)} files; ${number(input.rejected_lines)} lines rejected.`
  return [
    `${read} ${notRead({ input })}`.trim(),
    table(
      ['First-pass rate', 'Tokens per successful build', 'First pass', 'After rework', 'Failed', 'Abandoned'],
      [
        [
          interval(totals.first_pass_rate, percent),
          orNone(totals.tokens_per_successful_build, number),
          number(builds.first_pass),
          number(builds.after_rework),
          number(builds.failed),
          number(builds.abandoned),
        ],
      ],
    ),
  ].join('\n\n')
}

function insights(report: Report): string {
  const parts = (['finding', 'cost'] as const).flatMap((kind) => {
    const all = report.insights.filter((insight) => insight.kind === kind)
    const [title, what] = LISTS[kind]
    const listed = all.slice(0, MAX_INSIGHTS).map((insight, i) => `${i + 1}. ${describe(insight)}`)
    return all.length === 0
      ? []
      : [`### ${title}${shownOf(all.length, MAX_INSIGHTS)}`, what, listed.join('\n')]
  })
  if (parts.length === 0) parts.push('Nothing stands out, or there is not enough data to tell.')
  const confirmed = report.confirmed.map((i) => `**${text(i.title)}.** ${text(i.evidence)} ${text(i.change)}`)
  return [
    ...parts,
    ...brief('Confirmed, no change needed', confirmed),
    ...brief('Not enough data', report.not_enough_data.map(text)),
  ].join('\n\n')
}

function brief(title: string, all: readonly string[]): string[] {
  if (all.length === 0) return []
  const listed = all.slice(0, MAX_BRIEF).map((line) => `- ${line}`)
  return [`### ${title}${shownOf(all.length, MAX_BRIEF)}`, listed.join('\n')]
}

const describe = ({ title, evidence, tokens, change, verify }: Insight): string =>
  `**${text(title)}**${tokens === null ? '' : ` (up to ${number(tokens)} tokens)`}\n` +
  `   - Evidence: ${text(evidence)}\n   - Change: ${text(change)}\n   - Check: ${text(verify)}`

function tokenEfficiency({ token_efficiency: audit }: Report): string {
  return [
    `Fix attempts by the error that they answer${shownOf(audit.fix_cost.length, MAX_TYPES)}:`,
    table(
      ['Error type', '#Fixes', '#Tokens', '#Mean tokens per fix (95 %)', '#Rework cost factor'],
      audit.fix_cost
        .slice(0, MAX_TYPES)
        .map((row) => [
          typeName(row.error_type),
          number(row.fixes),
          number(row.tokens),
          interval(row.mean_tokens, number),
          orNone(row.rework_cost_factor, decimal),
        ]),
    ),
    'Prompt tokens, GEMINI.md against instruction:',
    table(
      ['Phase', '#GEMINI.md', '#Instruction', '#GEMINI.md share'],
      audit.prompt_share.map((row) => [
        row.phase,
        number(row.context_tokens),
        number(row.instruction_tokens),
        orNone(row.context_share, percent),
      ]),
    ),
    `Most expensive steps${shownOf(audit.steps.length, MAX_STEPS)}:`,
    table(
      ['Step', 'Phase', '#Entries', '#Tokens', '#Per entry', '#Share'],
      audit.steps
        .slice(0, MAX_STEPS)
        .map((row) => [
          row.step,
          row.phase,
          number(row.entries),
          number(row.tokens),
          orNone(row.mean_tokens, number),
          orNone(row.share, percent),
        ]),
    ),
  ].join('\n\n')
}

function constraints({ constraint_effectiveness: audit }: Report): string {
  return [
    `Failed validations by error type${shownOf(audit.error_types.length, MAX_TYPES)}:`,
    table(
      ['Error type', '#Failures', '#Share', '#Builds', '#Rework tokens'],
      audit.error_types
        .slice(0, MAX_TYPES)
        .map((row) => [
          typeName(row.error_type),
          number(row.failures),
          percent(row.share),
          number(row.builds),
          number(row.rework_tokens),
        ]),
    ),
    `Revisions of GEMINI.md, in order of first sight, the latest last${shownOf(audit.revisions.length, MAX_REVISIONS)}:`,
    table(
      [
        'Revision',
        'First seen',
        '#Builds',
        '#First-pass rate (95 %)',
        '#Tokens per success',
        'Most frequent first failures',
      ],
      audit.revisions
        .slice(-MAX_REVISIONS)
        .map((row) => [
          `${row.version} ${row.context_hash}`,
          day(row.first_seen),
          number(row.builds),
          interval(row.first_pass_rate, percent),
          orNone(row.tokens_per_successful_build, number),
          mostFrequent(row),
        ]),
    ),
    `Before and after each revision${shownOf(audit.changes.length, MAX_REVISIONS)}:`,
    table(
      ['Change', '#First-pass rate', '#q', '#Tokens per build', '#q'],
      audit.changes
        .slice(-MAX_REVISIONS)
        .map((row) => [
          changeName(row),
          ...difference(row.first_pass_rate, points),
          ...difference(row.tokens_per_build, signed),
        ]),
    ),
  ].join('\n\n')
}

function prompts({ prompt_refinement: audit }: Report): string {
  return [
    `Implement steps by wording${shownOf(audit.implement.length, MAX_REVISIONS)}:`,
    table(
      ['Wording', '#Steps', '#Completion tokens (95 %)', '#Builds', '#First-pass rate (95 %)'],
      audit.implement
        .slice(0, MAX_REVISIONS)
        .map((row) => [
          row.instruction_version,
          number(row.steps),
          interval(row.completion_tokens, number),
          number(row.builds),
          interval(row.first_pass_rate, percent),
        ]),
    ),
    `Fix prompts by wording${shownOf(audit.fixes.length, MAX_REVISIONS)}:`,
    table(
      ['Wording', '#Fixes', '#Completion tokens (95 %)', '#Rework cost factor', '#Repaired (95 %)'],
      audit.fixes
        .slice(0, MAX_REVISIONS)
        .map((row) => [
          row.instruction_version,
          number(row.fixes),
          interval(row.completion_tokens, number),
          orNone(row.rework_cost_factor, decimal),
          interval(row.pass_rate, percent),
        ]),
    ),
  ].join('\n\n')
}

function volatility({ context_volatility: audit }: Report): string {
  const days = audit.days.filter(({ changes }) => changes > 0)
  return [
    changesSentence(audit),
    `Days with changes, the latest last${shownOf(days.length, MAX_REVISIONS)}:`,
    table(
      ['Day (UTC)', '#Changes', '#Revisions', '#Validations passed (95 %)', '#Tokens'],
      days
        .slice(-MAX_REVISIONS)
        .map((row) => [
          row.day,
          number(row.changes),
          number(row.revisions),
          interval(row.pass_rate, percent),
          number(row.tokens),
        ]),
    ),
  ].join('\n\n')
}

const method = ({ method: how, input }: Report): string =>
  `<sub>Shares with Wilson intervals, means with t intervals, both at 95 %. ${number(how.comparisons)} comparisons of at least ${how.min_group} on each side; ` +
  `a finding stands at a false discovery rate of ${percent(how.false_discovery_rate)} (Benjamini-Hochberg) and with an interval that leaves out zero. ` +
  'Wordings and revisions are compared as they were used, not assigned at random. ' +
  `${number(input.out_of_order)} entries out of order, ${number(input.in_future)} from the future.</sub>`

/** A column whose name starts with `#` holds numbers. */
function table(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return 'No data.'
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(columns.map((name) => name.replace(/^#/, ''))),
    line(columns.map((name) => (name.startsWith('#') ? '---:' : '---'))),
    ...rows.map((row) => line(row.map(text))),
  ].join('\n')
}

/** Names come from files: what would be markup or end a cell is escaped. */
const text = (value: string): string =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll(/[\\`*_[\]<>|~]/g, (character) => `\\${character}`)
    .replaceAll(/[\r\n]+/g, ' ')

function difference(comparison: Comparison | null, form: (value: number) => string): string[] {
  if (comparison === null) return ['not enough data', '']
  const { value, low, high } = comparison.difference
  return [`${form(value)} (${form(low)} to ${form(high)})`, probability(comparison.q).replace('= ', '')]
}
