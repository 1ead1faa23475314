import { createHash } from 'node:crypto'
import type { ChartSet } from '../charts/chart-set.ts'
import { CHART_STYLE } from '../charts/style.ts'
import { counted, decimal, duration, number, percent, quotient, utc } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { tile } from '../render/parts.ts'
import { BASE_STYLE } from '../render/style.ts'
import { auditCards } from './page-audits.ts'
import { filesCard } from './page-files.ts'
import { PAGE_SCRIPT } from './page-script.ts'
import { sum, totalsCards } from './page-totals.ts'
import type { StatusView } from './status.ts'

const STYLE = `${BASE_STYLE}${CHART_STYLE}`

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Allows no external resources, and only the page's own script and style. */
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

/** Renders the whole page. It is self-contained, works without scripts, and updates itself if scripts are allowed. */
export function renderPage(view: StatusView, charts?: ChartSet): string {
  const title = `${view.ready ? '' : 'Not ready: '}audit-trace-exporter`
  // Not through `html`: the hashes in the security policy are those of the unescaped script and style.
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
      <div class="grid">${auditCards(view.audits, charts)} ${totalsCards(view)} ${filesCard(view)}</div>
    </main>
  </div>
`

function readiness(view: StatusView): Html {
  const waiting = view.roots.filter(({ state }) => state === 'waiting')
  const faults = [
    ...(view.ready ? [] : [html`<span>${view.notReadyReason ?? 'no reason given'}</span>`]),
    ...(view.stateDurable
      ? []
      : [
          html`<span
            >The state cannot be written. Reading is paused until it can; the totals do not change.</span
          >`,
        ]),
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
  // An abandoned build has no verdict.
  const judged = successes + view.builds.failed
  const spent = sum(view.buildTokens)
  return html`<dl class="tiles" id="tiles" data-live>
    ${[
      tile(
        'First-pass rate',
        quotient(view.builds.first_pass, judged, percent),
        `${number(view.builds.first_pass)} of ${number(judged)} builds with a verdict`,
      ),
      tile(
        'Tokens per successful build',
        quotient(spent, successes, number),
        `${number(spent)} tokens, including failed builds, over ${counted(successes, 'successful build')}`,
      ),
      tile(
        'Rework cost factor',
        quotient(view.reworkCompletionTokens, view.reworkErrorLogChars, decimal),
        `${number(view.reworkCompletionTokens)} completion tokens over ${number(view.reworkErrorLogChars)} characters of error log`,
      ),
      tile('Entries', number(view.entries), `${number(view.tokens)} tokens in all`),
    ]}
  </dl>`
}
