import { OUTCOMES } from '../attribute/build.ts'
import { number, percent, quotient, shownOf, typeName, utc } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { table } from '../render/table.ts'
import { OUTCOME_NAMES } from './page-builds.ts'
import { liveCard } from './page-live.ts'
import type { StatusView } from './status.ts'

const TOP_STEPS = 10
const TOP_ERROR_TYPES = 20
const TOP_CONTEXTS = 20

/** The running totals, apart from the audits: a card for each kind. */
export const totalsCards = (view: StatusView): Html =>
  html`${[builds, errorTypes, steps, contexts, refused].map((card) => card(view))}`

function builds(view: StatusView): Html {
  const closed = sum(view.builds)
  let x = 0
  const parts = OUTCOMES.map((outcome) => {
    const width = closed === 0 ? 0 : (view.builds[outcome] / closed) * 100
    x += width
    return html`<rect class="${outcome}" x="${x - width}%" width="${width}%" height="100%"></rect>`
  })
  const swatch = (outcome: string): Html =>
    html`<svg class="key" aria-hidden="true">
      <rect class="${outcome}" width="100%" height="100%"></rect>
    </svg>`
  const rows = OUTCOMES.map((outcome) => [
    html`${swatch(outcome)}${OUTCOME_NAMES[outcome]}`,
    number(view.builds[outcome]),
    quotient(view.builds[outcome], closed, percent),
    number(view.buildTokens[outcome]),
    quotient(view.buildTokens[outcome], view.builds[outcome], number),
  ])
  return liveCard(
    'builds',
    'Builds by outcome',
    html`<svg class="split" aria-hidden="true">${parts}</svg> ${table(
        `${number(closed)} closed, ${number(view.buildsInProgress)} in progress`,
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
    number(entries),
    number(tokens),
    quotient(tokens, entries, number),
    quotient(tokens, view.tokens, percent),
    html`<svg class="bar" aria-hidden="true">
      <rect width="${most === 0 ? 0 : (tokens / most) * 100}%" height="100%"></rect>
    </svg>`,
  ])
  return liveCard(
    'steps',
    'Most expensive steps',
    table(
      `By the sum of their tokens${shownOf(sorted.length, shown.length)}`,
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
    typeName(errorType),
    number(entries),
    number(reworkTokens),
    quotient(reworkTokens, entries, number),
  ])
  return liveCard(
    'errors',
    'Error types',
    table(
      `Failed validations and the tokens of their rework${shownOf(sorted.length, shown.length)}`,
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
    number(entries),
  ])
  return liveCard(
    'contexts',
    'Contexts',
    table(
      `Revisions of GEMINI.md, newest first${shownOf(sorted.length, shown.length)}`,
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
      .map(([reason, lines]) => [reason, number(lines)])
  return liveCard(
    'lines',
    'Odd lines',
    html`<div class="two">
      ${table('Rejected lines, which are not counted', ['Reason', '#Lines'], rows(view.rejectedLines), 'none')}
      ${table('Entries counted with a warning', ['Reason', '#Entries'], rows(view.warnings), 'none')}
    </div>`,
  )
}

/** The sum of a record's values. */
export const sum = (record: Record<string, number>): number =>
  Object.values(record).reduce((a, b) => a + b, 0)
