import { drawCharts } from '../charts/chart-set.ts'
import { MAX_ROWS as MAX_CHART_ROWS } from '../charts/charts.ts'
import { counted, day, decimal, NONE, number, orNone, percent, shownOf } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { card, figure, tile } from '../render/parts.ts'
import { BASE_STYLE } from '../render/style.ts'
import { table } from '../render/table.ts'
import { anchorOf, verdictList } from '../render/verdicts.ts'
import { chartData } from './chart-data.ts'
import { insightsCard } from './html-insights.ts'
import { REPORT_STYLE } from './html-style.ts'
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
import type { Report } from './schema.ts'
import { changesSentence, notRead, OTHER_PART, VERDICT_BASIS } from './words.ts'

const MAX_ROWS = 20
const MAX_STEPS = 10

/** The report as one self-contained page: no scripts, nothing loaded from elsewhere, fit for printing. */
export function renderHtml(report: Report): string {
  const body = html`<div class="wrap">
    <a class="skip" href="#main">Skip to the report</a>
    <header>
      <h1>Audit of the builds</h1>
      <p class="soft">${span(report)}</p>
    </header>
    <main id="main">
      ${tiles(report)} ${verdictsCard(report)} ${insightsCard(report)}
      <div class="grid">${audits(report)}</div>
      <p class="soft method">${methodSentences(report)}</p>
    </main>
  </div>`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Audit of the builds</title><style>${BASE_STYLE}${REPORT_STYLE}</style></head><body>${body.markup}</body></html>\n`
}

const span = ({ period, totals, input, generated_at: at }: Report): string =>
  `${day(period.first_entry)} to ${day(period.last_entry)}, ${counted(totals.entries, 'entry', 'entries')} in ${counted(input.files, 'file')}, ` +
  `${counted(input.rejected_lines, 'line')} rejected. ${notRead({ input })} Generated ${at.slice(0, 16).replace('T', ' ')} UTC.`

function tiles({ totals }: Report): Html {
  const { builds, first_pass_rate: rate } = totals
  const closed = builds.first_pass + builds.after_rework + builds.failed + builds.abandoned
  return html`<dl class="tiles">
    ${[
      tile(
        'First-pass rate',
        orNone(rate?.value ?? null, percent),
        rate === null ? NONE : `95 % interval ${percent(rate.low)} to ${percent(rate.high)}`,
      ),
      tile(
        'Tokens per successful build',
        orNone(totals.tokens_per_successful_build, number),
        'including the tokens of failed builds',
      ),
      tile(
        'Builds closed',
        number(closed),
        `${number(builds.after_rework)} after rework, ${number(builds.failed)} failed, ${number(builds.abandoned)} abandoned`,
      ),
      tile(
        'Tokens',
        number(totals.tokens),
        totals.cost_usd === null ? '' : `${decimal(totals.cost_usd)} US dollars where known`,
      ),
    ]}
  </dl>`
}

const verdictsCard = ({ verdicts }: Report): Html =>
  card('verdicts', 'Verdicts', verdictList(verdicts, VERDICT_BASIS), 'wide verdict-card')

/** The four audits: each a card with its charts and its tables. */
function audits(report: Report): Html[] {
  const data = chartData(report)
  const charts = drawCharts(data)
  const rated = (rows: readonly { rate: unknown }[]): string =>
    shownOf(rows.filter(({ rate }) => rate !== null).length, MAX_CHART_ROWS)
  return [
    audit('Token efficiency', [
      chart(
        charts.fixCost,
        `Tokens of one fix, by the error that it answers; mean with 95 % interval${shownOf(data.fixCost.length, MAX_CHART_ROWS)}`,
      ),
      tableOf(firstRows(fixTable(report), MAX_ROWS)),
      chart(charts.promptShare, `Prompt tokens by part. ${OTHER_PART}`),
      tableOf(promptTable(report)),
      tableOf(firstRows(stepTable(report), MAX_STEPS)),
      ...spendingTables(report).map((each) => tableOf(firstRows(each, MAX_ROWS))),
    ]),
    audit('Constraint effectiveness', [
      chart(
        charts.revisions,
        `First-pass rate by revision of GEMINI.md, with 95 % interval${rated(data.revisions)}`,
      ),
      tableOf(lastRows(revisionTable(report), MAX_ROWS)),
      tableOf(lastRows(changeTable(report), MAX_ROWS)),
      tableOf(firstRows(errorTable(report), MAX_ROWS)),
    ]),
    audit('Prompt refinement', [
      chart(
        charts.promptVersions,
        `First-pass rate by version of the implement prompt, with 95 % interval${rated(data.promptVersions)}`,
      ),
      tableOf(firstRows(implementTable(report), MAX_ROWS)),
      tableOf(firstRows(fixPromptTable(report), MAX_ROWS)),
    ]),
    audit('Context volatility', [
      chart(charts.volatility, 'Validations passed and tokens by day (UTC), and when GEMINI.md changed'),
      html`<p>${changesSentence(report.context_volatility)}</p>`,
      tableOf(lastRows(dayTable(report), MAX_ROWS)),
    ]),
  ]
}

const audit = (title: string, parts: readonly Html[]): Html => card(anchorOf(title), title, parts, 'audit')

/** Without data, only the table below says so. */
const chart = (svg: string | undefined, caption: string): Html =>
  svg === undefined ? html`` : figure(caption, { markup: svg })

const tableOf = ({ title, columns, rows }: ReportTable): Html => table(title, columns, rows, NONE)
