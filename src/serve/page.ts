import type { ChartSet } from '../charts/chart-set.ts'
import { counted, decimal, duration, number, percent, quotient, utc } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { tile } from '../render/parts.ts'
import { auditCards } from './page-audits.ts'
import { filesCard } from './page-files.ts'
import { verdictList, type Verdict } from '../render/verdicts.ts'
import { buildsCard } from './page-builds.ts'
import { liveCard } from './page-live.ts'
import { document } from './page-document.ts'
import { sum, totalsCards } from './page-totals.ts'
import type { StatusView } from './status.ts'

/** Renders the whole page. It works without scripts, and updates itself. */
export const renderPage = (view: StatusView, drawn?: Drawn): string =>
  document(`${view.ready ? '' : 'Not ready: '}audit-trace-exporter`, header(view), main(view, drawn), true)

const header = (view: StatusView): Html => html`
  <h1>audit-trace-exporter</h1>
  <p class="soft" id="about" data-live>
    version ${view.version}, up ${duration(view.nowMs - view.startedAtMs)}
  </p>
  <nav aria-label="Endpoints">
    <a href="/metrics">/metrics</a><a href="/readyz">/readyz</a><a href="/healthz">/healthz</a>
  </nav>
`

const main = (view: StatusView, drawn: Drawn | undefined): Html => html`
  ${readiness(view)} ${tiles(view)}
  <div class="grid">
    ${verdictsCard(view, drawn?.verdicts)} ${auditCards(view, drawn?.charts)} ${buildsCard(view.recent)}
    ${totalsCards(view)} ${filesCard(view)}
  </div>
`

/** What takes libraries to make. */
export interface Drawn {
  readonly charts: ChartSet
  readonly verdicts: readonly Verdict[]
}

const verdictsCard = ({ recent: { kept } }: StatusView, verdicts: Drawn['verdicts'] | undefined): Html =>
  verdicts === undefined
    ? html``
    : liveCard('verdicts', 'Verdicts', verdictList(verdicts, basis(kept)), 'wide')

const basis = (kept: number): string =>
  `Over the ${counted(kept, 'build')} that started last, by the rule of the report: better and worse is a difference that chance alone would rarely ` +
  'produce, with at least 20 builds on each side, corrected for the number of comparisons and for builds of one day being alike. Unclear does not mean equal.'

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
