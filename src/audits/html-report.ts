import { html, type Html } from '../serve/html.ts'
import { PAGE_STYLE } from '../serve/page-style.ts'
import { table } from '../serve/page-table.ts'
import { drawCharts } from '../charts/chart-set.ts'
import { MAX_ROWS as MAX_CHART_ROWS } from '../charts/charts.ts'
import { chartData } from './chart-data.ts'
import { REPORT_STYLE } from './html-style.ts'
import { probability } from './insights.ts'
import type { Comparison, Insight, Report } from './schema.ts'
import {
  changeName,
  changesSentence,
  day,
  decimal,
  interval,
  LISTS,
  mostFrequent,
  NONE,
  notRead,
  number,
  orNone,
  percent,
  points,
  shownOf,
  signed,
  typeName,
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
          fixTable(report),
          figure(charts.promptShare, 'Prompt tokens: GEMINI.md against instruction'),
          stepTable(report),
        ])}
        ${section('Constraint effectiveness', [
          figure(
            charts.revisions,
            `First-pass rate by revision of GEMINI.md, with 95 % interval${rated(data.revisions)}`,
          ),
          revisionTable(report),
          changeTable(report),
          errorTable(report),
        ])}
        ${section('Prompt refinement', [
          figure(
            charts.wordings,
            `First-pass rate by wording of the implement instruction, with 95 % interval${rated(data.wordings)}`,
          ),
          implementTable(report),
          fixPromptTable(report),
        ])}
        ${section('Context volatility', [
          figure(charts.volatility, 'Validations passed and tokens by day (UTC), and when GEMINI.md changed'),
          html`<p>${changesSentence(report.context_volatility)}</p>`,
          dayTable(report),
        ])}
      </div>
      ${method(report)}
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

/** A table of at most `most` rows: the first, or the latest, which stand last. */
function scrolled(
  what: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  { most = MAX_ROWS, latest = false }: { most?: number; latest?: boolean } = {},
): Html {
  const caption = `${what}${shownOf(rows.length, most)}`
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}">
    ${table(caption, columns, latest ? rows.slice(-most) : rows.slice(0, most), NONE)}
  </div>`
}

const fixTable = ({ token_efficiency: { fix_cost: rows } }: Report): Html =>
  scrolled(
    'Fix attempts by error type',
    ['Error type', '#Fixes', '#Tokens', '#Mean (95 %)', '#Rework cost factor'],
    rows.map((row) => [
      typeName(row.error_type),
      number(row.fixes),
      number(row.tokens),
      interval(row.mean_tokens, number),
      orNone(row.rework_cost_factor, decimal),
    ]),
  )

const stepTable = ({ token_efficiency: { steps } }: Report): Html =>
  scrolled(
    'Most expensive steps',
    ['Step', 'Phase', '#Entries', '#Tokens', '#Per entry', '#Share'],
    steps.map((row) => [
      row.step,
      row.phase,
      number(row.entries),
      number(row.tokens),
      orNone(row.mean_tokens, number),
      orNone(row.share, percent),
    ]),
    { most: MAX_STEPS },
  )

const revisionTable = ({ constraint_effectiveness: { revisions } }: Report): Html =>
  scrolled(
    'Revisions of GEMINI.md by first sight',
    [
      'Revision',
      'First seen',
      '#Builds',
      '#First-pass rate (95 %)',
      '#Tokens per success',
      'Most frequent first failures',
    ],
    revisions.map((row) => [
      `${row.version} ${row.context_hash}`,
      day(row.first_seen),
      number(row.builds),
      interval(row.first_pass_rate, percent),
      orNone(row.tokens_per_successful_build, number),
      mostFrequent(row),
    ]),
    { latest: true },
  )

const changeTable = ({ constraint_effectiveness: { changes } }: Report): Html =>
  scrolled(
    'Before and after each revision; q is p after correction for all comparisons',
    ['Change', '#First-pass rate', '#q', '#Tokens per build', '#q'],
    changes.map((row) => [
      changeName(row),
      ...difference(row.first_pass_rate, points),
      ...difference(row.tokens_per_build, signed),
    ]),
    { latest: true },
  )

const errorTable = ({ constraint_effectiveness: { error_types: rows } }: Report): Html =>
  scrolled(
    'Failed validations by error type',
    ['Error type', '#Failures', '#Share', '#Builds', '#Rework tokens'],
    rows.map((row) => [
      typeName(row.error_type),
      number(row.failures),
      percent(row.share),
      number(row.builds),
      number(row.rework_tokens),
    ]),
  )

const implementTable = ({ prompt_refinement: { implement } }: Report): Html =>
  scrolled(
    'Implement steps by wording',
    ['Wording', '#Steps', '#Completion tokens (95 %)', '#First-pass rate (95 %)'],
    implement.map((row) => [
      row.instruction_version,
      number(row.steps),
      interval(row.completion_tokens, number),
      interval(row.first_pass_rate, percent),
    ]),
  )

const fixPromptTable = ({ prompt_refinement: { fixes } }: Report): Html =>
  scrolled(
    'Fix prompts by wording',
    ['Wording', '#Fixes', '#Completion tokens (95 %)', '#Rework cost factor', '#Repaired (95 %)'],
    fixes.map((row) => [
      row.instruction_version,
      number(row.fixes),
      interval(row.completion_tokens, number),
      orNone(row.rework_cost_factor, decimal),
      interval(row.pass_rate, percent),
    ]),
  )

const dayTable = ({ context_volatility: { days } }: Report): Html =>
  scrolled(
    'Days with changes of GEMINI.md (UTC)',
    ['Day', '#Changes', '#Revisions', '#Validations passed (95 %)', '#Tokens'],
    days
      .filter(({ changes }) => changes > 0)
      .map((row) => [
        row.day,
        number(row.changes),
        number(row.revisions),
        interval(row.pass_rate, percent),
        number(row.tokens),
      ]),
    { latest: true },
  )

const method = ({ method: how, input }: Report): Html =>
  html`<p class="soft method">
    Shares with Wilson intervals, means with t intervals, both at 95 %. ${number(how.comparisons)} comparisons
    with at least ${how.min_group} on each side; a finding stands at a false discovery rate of
    ${percent(how.false_discovery_rate)} (Benjamini-Hochberg) and with an interval that leaves out zero.
    Wordings and revisions are compared as they were used, not assigned at random.
    ${number(input.out_of_order)} entries out of order, ${number(input.in_future)} from the future.
  </p>`

function difference(comparison: Comparison | null, form: (value: number) => string): string[] {
  if (comparison === null) return ['not enough data', '']
  const { value, low, high } = comparison.difference
  return [`${form(value)} (${form(low)} to ${form(high)})`, probability(comparison.q).replace('= ', '')]
}
