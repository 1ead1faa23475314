import { createHash } from 'node:crypto'
import { count, duration, quotient, utc } from './format.ts'
import { html, type Html } from './html.ts'
import { filesCard } from './page-files.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import type { ChartSet } from '../charts/chart-set.ts'
import { CHART_STYLE } from '../charts/style.ts'
import { auditCards } from './page-audits.ts'
import { PAGE_STYLE } from './page-style.ts'
import { table } from './page-table.ts'
import type { StatusView } from './status.ts'

const STYLE = `${PAGE_STYLE}${CHART_STYLE}`
const TOP_STEPS = 10
const TOP_ERROR_TYPES = 20
const TOP_CONTEXTS = 20

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Nothing from outside, no script and no style but the page's own. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src ${sha256(PAGE_SCRIPT)}`,
  `style-src ${sha256(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const OUTCOMES = [
  ['first_pass', 'First pass'],
  ['after_rework', 'After rework'],
  ['failed', 'Failed'],
  ['abandoned', 'Abandoned'],
] as const

/** The whole page, self-contained: works without scripts, and keeps itself up to date with them. */
export function renderPage(view: StatusView, charts?: ChartSet): string {
  const title = `${view.ready ? '' : 'Not ready: '}audit-trace-exporter`
  // Not through `html`: the texts of script and style are hashed as they are.
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>${title}</title><style>${STYLE}</style><noscript><meta http-equiv="refresh" content="15"></noscript></head>`
  return `${head}<body>${body(view, charts).markup}<script>${PAGE_SCRIPT}</script></body></html>`
}

const body = (view: StatusView, charts: ChartSet | undefined): Html => html`
  <div class="wrap">
    <a class="skip" href="#main">Skip to the figures</a>
    <header>
      <h1>audit-trace-exporter</h1>
      <p class="soft" id="about" data-live>
        version ${view.version}, up ${duration(view.nowMs - view.startedAtMs)}
      </p>
      <nav aria-label="Endpoints">
        <a href="/metrics">/metrics</a><a href="/readyz">/readyz</a><a href="/healthz">/healthz</a>
      </nav>
    </header>
    <div id="stale" role="status"></div>
    <main id="main">
      ${readiness(view)} ${tiles(view)}
      <div class="grid">
        ${auditCards(view.audits, charts)} ${builds(view)} ${errorTypes(view)} ${steps(view)}
        ${contexts(view)} ${refused(view)} ${filesCard(view)}
      </div>
    </main>
  </div>
`

function readiness(view: StatusView): Html {
  const waiting = view.roots.filter(({ state }) => state === 'waiting')
  const faults = [
    ...(view.ready ? [] : [html`<span>${view.notReadyReason ?? 'no reason given'}</span>`]),
    ...(view.stateDurable
      ? []
      : [html`<span>The state cannot be written: the totals stand still until it can.</span>`]),
    ...(waiting.length === 0
      ? []
      : [html`<span>Waiting for ${waiting.map(({ path }) => path).join(', ')} to appear.</span>`]),
  ]
  return html`<div class="state ${view.ready ? '' : 'not'}" id="readiness" data-live>
    <strong>${view.ready ? 'Ready' : 'Not ready'}</strong>${faults}
    <span class="soft">As of ${utc(view.nowMs)}</span>
  </div>`
}

function tiles(view: StatusView): Html {
  const successes = view.builds.first_pass + view.builds.after_rework
  // An abandoned build was never judged.
  const judged = successes + view.builds.failed
  const spent = sum(view.buildTokens)
  const tile = (name: string, figure: string, note: string): Html =>
    html`<div>
      <dt>${name}</dt>
      <dd class="figure ${/\d/u.test(figure) ? '' : 'none'}">${figure}</dd>
      <dd><small>${note}</small></dd>
    </div>`
  return html`<dl class="tiles" id="tiles" data-live>
    ${[
      tile(
        'First-pass rate',
        quotient(view.builds.first_pass, judged, 'percent'),
        `${count(view.builds.first_pass)} of ${count(judged)} builds with a verdict`,
      ),
      tile(
        'Tokens per successful build',
        quotient(spent, successes, 'whole'),
        `${count(spent)} tokens, those of failures too, over ${count(successes)} successes`,
      ),
      tile(
        'Rework cost factor',
        quotient(view.reworkCompletionTokens, view.reworkErrorLogChars, 'fraction'),
        `${count(view.reworkCompletionTokens)} completion tokens over ${count(view.reworkErrorLogChars)} characters of error log`,
      ),
      tile('Entries', count(view.entries), `${count(view.tokens)} tokens in all`),
    ]}
  </dl>`
}

function builds(view: StatusView): Html {
  const closed = sum(view.builds)
  let x = 0
  const parts = OUTCOMES.map(([outcome]) => {
    const width = closed === 0 ? 0 : (view.builds[outcome] / closed) * 100
    x += width
    return html`<rect class="${outcome}" x="${x - width}%" width="${width}%" height="100%"></rect>`
  })
  const swatch = (outcome: string): Html =>
    html`<svg class="key" aria-hidden="true">
      <rect class="${outcome}" width="100%" height="100%"></rect>
    </svg>`
  const rows = OUTCOMES.map(([outcome, name]) => [
    html`${swatch(outcome)}${name}`,
    count(view.builds[outcome]),
    quotient(view.builds[outcome], closed, 'percent'),
    count(view.buildTokens[outcome]),
    quotient(view.buildTokens[outcome], view.builds[outcome], 'whole'),
  ])
  return card(
    'builds',
    'Builds by outcome',
    html`<svg class="split" aria-hidden="true">${parts}</svg> ${table(
        `${count(closed)} closed, ${count(view.buildsInProgress)} in progress`,
        ['Outcome', '#Builds', '#Share', '#Tokens', '#Tokens per build'],
        rows,
      )}`,
  )
}

function steps(view: StatusView): Html {
  const sorted = view.steps.toSorted((a, b) => b.tokens - a.tokens)
  const shown = sorted.slice(0, TOP_STEPS)
  const most = shown[0]?.tokens ?? 0
  const rows = shown.map(({ step, phase, entries, tokens }) => [
    step,
    phase,
    count(entries),
    count(tokens),
    quotient(tokens, entries, 'whole'),
    quotient(tokens, view.tokens, 'percent'),
    html`<svg class="bar" aria-hidden="true">
      <rect width="${most === 0 ? 0 : (tokens / most) * 100}%" height="100%"></rect>
    </svg>`,
  ])
  return card(
    'steps',
    'Most expensive steps',
    table(
      shownOf('By all tokens spent', shown.length, sorted.length),
      ['Step', 'Phase', '#Entries', '#Tokens', '#Per entry', '#Of all tokens', ''],
      rows,
    ),
    'wide',
  )
}

function errorTypes(view: StatusView): Html {
  const sorted = view.errorTypes.toSorted((a, b) => b.reworkTokens - a.reworkTokens || b.entries - a.entries)
  const shown = sorted.slice(0, TOP_ERROR_TYPES)
  const rows = shown.map(({ errorType, entries, reworkTokens }) => [
    errorType === '' ? 'none given' : errorType,
    count(entries),
    count(reworkTokens),
    quotient(reworkTokens, entries, 'whole'),
  ])
  return card(
    'errors',
    'Error types',
    table(
      shownOf('Failed validations, and what repairing them cost', shown.length, sorted.length),
      ['Error type', '#Failures', '#Rework tokens', '#Per failure'],
      rows,
    ),
  )
}

function contexts(view: StatusView): Html {
  const sorted = view.contexts.toSorted((a, b) => b.firstSeenMs - a.firstSeenMs)
  const shown = sorted.slice(0, TOP_CONTEXTS)
  const rows = shown.map(({ hash, version, firstSeenMs, entries }) => [
    hash,
    version,
    html`<span class="time">${utc(firstSeenMs)}</span>`,
    count(entries),
  ])
  return card(
    'contexts',
    'Contexts',
    table(
      shownOf('Versions of GEMINI.md, newest first', shown.length, sorted.length),
      ['Hash', 'Version', 'First seen', '#Entries'],
      rows,
    ),
  )
}

function refused(view: StatusView): Html {
  const rows = (record: Record<string, number>): string[][] =>
    Object.entries(record)
      .filter(([, lines]) => lines > 0)
      .toSorted(([, a], [, b]) => b - a)
      .map(([reason, lines]) => [reason, count(lines)])
  return card(
    'lines',
    'Odd lines',
    html`<div class="two">
      ${table('Lines rejected: not counted', ['Reason', '#Lines'], rows(view.rejectedLines), 'none')}
      ${table('Warnings: counted, although odd', ['Reason', '#Entries'], rows(view.warnings), 'none')}
    </div>`,
  )
}

const card = (id: string, title: string, content: Html, kind = ''): Html =>
  html`<section class="card ${kind}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <div class="scroll" id="${id}" data-live tabindex="0" role="region" aria-labelledby="${id}-title">
      ${content}
    </div>
  </section>`

const shownOf = (caption: string, shown: number, all: number): string =>
  shown === all ? caption : `${caption}; ${count(shown)} of ${count(all)}`

const sum = (record: Record<string, number>): number => Object.values(record).reduce((a, b) => a + b, 0)
