import { counted, day, interval, number, orNone, percent, shownOf } from '../render/format.ts'
import {
  changeTable,
  dayTable,
  errorTable,
  firstRows,
  fixPromptTable,
  fixTable,
  implementTable,
  lastRows,
  methodSentences,
  promptTable,
  revisionTable,
  spendingTables,
  stepTable,
  type ReportTable,
} from './report-tables.ts'
import type { Insight, Report } from './schema.ts'
import { changesSentence, costOf, LISTS, NOTHING_FOUND, notRead, VERDICT_BASIS } from './words.ts'

const MAX_INSIGHTS = 20
const MAX_BRIEF = 10
const MAX_STEPS = 10
const MAX_REVISIONS = 12
const MAX_TYPES = 12

/** The report as GitHub Markdown, cut to the size of a pull request's description (65,536 characters). */
export function renderMarkdown(report: Report): string {
  const parts = [
    '# Audit of the builds',
    overview(report),
    '## Verdicts',
    verdicts(report),
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

const verdicts = ({ verdicts: all }: Report): string =>
  [
    ...all.map(({ audit, verdict, sentence }) => `- **${audit}: ${verdict}.** ${text(sentence)}`),
    `\n${VERDICT_BASIS}`,
  ].join('\n')

function overview({ period, input, totals }: Report): string {
  const { builds } = totals
  const closed = builds.first_pass + builds.after_rework + builds.failed + builds.abandoned
  const read =
    `${day(period.first_entry)} to ${day(period.last_entry)}: ${counted(totals.entries, 'entry', 'entries')} of ${counted(closed, 'closed build')}` +
    ` (${number(totals.builds_in_progress)} in progress) in ${counted(input.files, 'file')}; ${counted(input.rejected_lines, 'line')} rejected.`
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
    const listed = all.slice(0, MAX_INSIGHTS).map((insight, i) => `${i + 1}. ${describe(insight, all)}`)
    return all.length === 0
      ? []
      : [`### ${title}${shownOf(all.length, MAX_INSIGHTS)}`, what, listed.join('\n')]
  })
  if (parts.length === 0) parts.push(NOTHING_FOUND)
  const confirmed = report.confirmed.map((i) => `**${text(i.title)}.** ${text(i.evidence)} ${text(i.change)}`)
  return [
    ...parts,
    ...brief('Confirmed, no change needed', confirmed),
    ...brief('Not enough data', report.not_enough_data.toReversed().map(text)),
  ].join('\n\n')
}

function brief(title: string, all: readonly string[]): string[] {
  if (all.length === 0) return []
  const listed = all.slice(0, MAX_BRIEF).map((line) => `- ${line}`)
  return [`### ${title}${shownOf(all.length, MAX_BRIEF)}`, listed.join('\n')]
}

function describe(insight: Insight, listed: readonly Insight[]): string {
  const { title, evidence, change, verify } = insight
  const cost = costOf(insight, listed)
  return (
    `**${text(title)}**${cost === undefined ? '' : ` (${cost})`}\n` +
    `   - Evidence: ${text(evidence)}\n   - Change: ${text(change)}\n   - Check: ${text(verify)}`
  )
}

const tokenEfficiency = (report: Report): string =>
  tables(
    firstRows(fixTable(report), MAX_TYPES),
    promptTable(report),
    firstRows(stepTable(report), MAX_STEPS),
    ...spendingTables(report).map((each) => firstRows(each, MAX_STEPS)),
  )

const constraints = (report: Report): string =>
  tables(
    firstRows(errorTable(report), MAX_TYPES),
    lastRows(revisionTable(report), MAX_REVISIONS),
    lastRows(changeTable(report), MAX_REVISIONS),
  )

const prompts = (report: Report): string =>
  tables(firstRows(implementTable(report), MAX_REVISIONS), firstRows(fixPromptTable(report), MAX_REVISIONS))

const volatility = (report: Report): string =>
  [changesSentence(report.context_volatility), tables(lastRows(dayTable(report), MAX_REVISIONS))].join('\n\n')

const method = (report: Report): string => `<sub>${text(methodSentences(report))}</sub>`

const tables = (...all: readonly ReportTable[]): string =>
  all.map(({ title, columns, rows }) => `${title}:\n\n${table(columns, rows)}`).join('\n\n')

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

/** Escapes Markdown and cell separators: names come from files. */
const text = (value: string): string =>
  value
    .replaceAll('&', '&amp;')
    .replaceAll(/[\\`*_[\]<>|~]/g, (character) => `\\${character}`)
    .replaceAll(/[\r\n]+/g, ' ')
