import { shownOf } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { card } from '../render/parts.ts'
import type { Insight, Report } from './schema.ts'
import { costOf, LISTS, NOTHING_FOUND } from './words.ts'

const MAX_BRIEF = 20

/** The card "What to change": both lists of insights, what was confirmed, and what could not be compared. */
export function insightsCard(report: Report): Html {
  const lists = (['finding', 'cost'] as const).flatMap((kind) => listOf(report, kind))
  const confirmed = report.confirmed.map(
    ({ title, evidence, change }) => html`<li><strong>${title}.</strong> ${evidence} ${change}</li>`,
  )
  // In order of time, and the newest revisions matter most.
  const lacking = report.not_enough_data.toReversed().map((line) => html`<li>${line}</li>`)
  return card(
    'insights',
    'What to change',
    html`${lists.length > 0 ? lists : html`<p>${NOTHING_FOUND}</p>`}
    ${brief('Confirmed, no change needed', confirmed)} ${brief('Not enough data', lacking)}`,
    'wide insights',
  )
}

function listOf(report: Report, kind: Insight['kind']): Html[] {
  const insights = report.insights.filter((insight) => insight.kind === kind)
  if (insights.length === 0) return []
  const [title, what] = LISTS[kind]
  return [
    html`<h3>${title}</h3>
      <p class="soft">${what}</p>
      <ol>
        ${insights.map((insight) => item(insight, insights))}
      </ol>`,
  ]
}

function item(insight: Insight, listed: readonly Insight[]): Html {
  const cost = costOf(insight, listed)
  return html`<li>
    <h4>${insight.title}</h4>
    ${cost === undefined ? '' : html`<p class="cost">${cost}</p>`}
    <dl>
      <dt>Evidence</dt>
      <dd>${insight.evidence}</dd>
      <dt>Change</dt>
      <dd>${insight.change}</dd>
      <dt>Check</dt>
      <dd>${insight.verify}</dd>
    </dl>
  </li>`
}

const brief = (title: string, items: readonly Html[]): Html =>
  items.length === 0
    ? html``
    : html`<h3>${title}${shownOf(items.length, MAX_BRIEF)}</h3>
        <ul>
          ${items.slice(0, MAX_BRIEF)}
        </ul>`
