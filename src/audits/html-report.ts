import { html, type Html } from '../serve/html.ts'
import { PAGE_STYLE } from '../serve/page-style.ts'
import { table } from '../serve/page-table.ts'
import { drawCharts } from '../charts/chart-set.ts'
import { MAX_ROWS as MAX_CHART_ROWS } from '../charts/charts.ts'
import { chartData } from './chart-data.ts'
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
  revisionTable,
  stepTable,
  type ReportTable,
} from './report-tables.ts'
import type { Insight, Report } from './schema.ts'
import {
  changesSentence,
  day,
  decimal,
  LISTS,
  NONE,
  notRead,
  number,
  orNone,
  percent,
  shownOf,
} from './words.ts'

const MAX_ROWS = 20
const MAX_STEPS = 10
const MAX_BRIEF = 20

/** The report as one self-contained page: no scripts, nothing from outside, readable on paper. */
export function renderHtml(report: Report): string {
  const data = chartData(report)
  const charts = drawCharts(data)
  const rated = (rows: readonly { rate: unknown }[]): string =>
    shownOf(rows.filter(({ rate }) => rate !== null).length, MAX_CHART_ROWS)
  const body = html`<div class="wrap">
    <a class="skip" href="#main">Skip to the report</a>
    <header>
      <h1>Audit of the builds</h1>
      <p class="soft">${span(report)}</p>
    </header>
    <main id="main">
      ${tiles(report)} ${insights(report)}
      <div class="grid">
        ${section('Token efficiency', [
          figure(
            charts.fixCost,
            `Tokens of one fix, by the error that it answers; mean with 95 % interval${shownOf(data.fixCost.length, MAX_CHART_ROWS)}`,
          ),
          scrolled(firstRows(fixTable(report), MAX_ROWS)),
          figure(charts.promptShare, 'Prompt tokens: GEMINI.md against instruction'),
          scrolled(firstRows(stepTable(report), MAX_STEPS)),
        ])}
        ${section('Constraint effectiveness', [
          figure(
            charts.revisions,
            `First-pass rate by revision of GEMINI.md, with 95 % interval${rated(data.revisions)}`,
          ),
          scrolled(lastRows(revisionTable(report), MAX_ROWS)),
          scrolled(lastRows(changeTable(report), MAX_ROWS)),
          scrolled(firstRows(errorTable(report), MAX_ROWS)),
        ])}
        ${section('Prompt refinement', [
          figure(
            charts.wordings,
            `First-pass rate by wording of the implement instruction, with 95 % interval${rated(data.wordings)}`,
          ),
          scrolled(firstRows(implementTable(report), MAX_ROWS)),
          scrolled(firstRows(fixPromptTable(report), MAX_ROWS)),
        ])}
        ${section('Context volatility', [
          figure(charts.volatility, 'Validations passed and tokens by day (UTC), and when GEMINI.md changed'),
          html`<p>${changesSentence(report.context_volatility)}</p>`,
          scrolled(lastRows(dayTable(report), MAX_ROWS)),
        ])}
      </div>
      <p class="soft method">${methodSentences(report)}</p>
    </main>
  </div>`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>Audit of the builds</title><style>${PAGE_STYLE}${REPORT_STYLE}</style></head><body>${body.markup}</body></html>\n`
}

const span = ({ period, totals, input, generated_at: at }: Report): string =>
  `${day(period.first_entry)} to ${day(period.last_entry)}, ${number(totals.entries)} entries in ${number(input.files)} files, ` +
  `${number(input.rejected_lines)} lines rejected. ${notRead({ input })} Made ${at.slice(0, 16).replace('T', ' ')} UTC.`

function tiles({ totals }: Report): Html {
  const { builds } = totals
  const closed = builds.first_pass + builds.after_rework + builds.failed + builds.abandoned
  const tile = (name: string, value: string, note: string): Html =>
    html`<div>
      <dt>${name}</dt>
      <dd class="figure">${value}</dd>
      <dd><small>${note}</small></dd>
    </div>`
  const rate = totals.first_pass_rate
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
        'with the tokens that failures burnt',
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

function insights(report: Report): Html {
  const lists = (['finding', 'cost'] as const).flatMap((kind) => {
    const all = report.insights.filter((insight) => insight.kind === kind)
    const [title, what] = LISTS[kind]
    return all.length === 0
      ? []
      : [
          html`<h3>${title}</h3>
            <p class="soft">${what}</p>
            <ol>
              ${all.map(card)}
            </ol>`,
        ]
  })
  const confirmed = report.confirmed.map(
    ({ title, evidence, change }) => html`<li><strong>${title}.</strong> ${evidence} ${change}</li>`,
  )
  return html`<section class="card wide insights" aria-labelledby="insights">
    <h2 id="insights">What to change</h2>
    ${lists.length > 0 ? lists : html`<p>Nothing stands out, or there is not enough data to tell.</p>`}
    ${brief('Confirmed, no change needed', confirmed)}
    ${brief(
      'Not enough data',
      report.not_enough_data.map((line) => html`<li>${line}</li>`),
    )}
  </section>`
}

const card = (insight: Insight): Html =>
  html`<li>
    <h4>${insight.title}</h4>
    ${insight.tokens === null ? '' : html`<p class="saving">up to ${number(insight.tokens)} tokens</p>`}
    <dl>
      <dt>Evidence</dt>
      <dd>${insight.evidence}</dd>
      <dt>Change</dt>
      <dd>${insight.change}</dd>
      <dt>Check</dt>
      <dd>${insight.verify}</dd>
    </dl>
  </li>`

const brief = (title: string, items: readonly Html[]): Html =>
  items.length === 0
    ? html``
    : html`<h3>${title}${shownOf(items.length, MAX_BRIEF)}</h3>
        <ul>
          ${items.slice(0, MAX_BRIEF)}
        </ul>`

const section = (title: string, parts: readonly Html[]): Html => {
  const id = title.toLowerCase().replaceAll(' ', '-')
  return html`<section class="card audit" aria-labelledby="${id}">
    <h2 id="${id}">${title}</h2>
    ${parts}
  </section>`
}

const figure = (svg: string | undefined, caption: string): Html =>
  svg === undefined
    ? html`<p class="soft">${caption}: ${NONE}.</p>`
    : html`<figure>
        <figcaption>${caption}</figcaption>
        <div class="scroll" tabindex="0" role="region" aria-label="${caption}">${{ markup: svg }}</div>
      </figure>`

const scrolled = ({ title, columns, rows }: ReportTable): Html =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${title}">
    ${table(title, columns, rows, NONE)}
  </div>`
