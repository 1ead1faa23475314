import type { ChartSet } from '../charts/chart-set.ts'
import { count, quotient } from './format.ts'
import { html, type Html } from './html.ts'
import { table } from './page-table.ts'
import type { AuditsView } from './status.ts'

const TOP = 12

/** The four audits: each a card with its charts, and the same in figures. */
export function auditCards(audits: AuditsView, charts: ChartSet | undefined): Html {
  const cards = [
    card('token-efficiency', 'Token efficiency', [
      figure('Tokens of one fix, by the error that it answers', charts?.fixCost),
      fixes(audits),
      figure('Prompt tokens: GEMINI.md against instruction', charts?.promptShare),
    ]),
    card('constraint-effectiveness', 'Constraint effectiveness', [
      figure('First-pass rate by revision of GEMINI.md, with 95 % interval', charts?.revisions),
      revisions(audits),
    ]),
    card('prompt-refinement', 'Prompt refinement', [
      figure('First-pass rate by wording of the implement instruction, with 95 % interval', charts?.wordings),
      implement(audits),
      fixPrompts(audits),
    ]),
    card('context-volatility', 'Context volatility', [
      figure('Validations passed and tokens per build, from revision to revision', charts?.volatility),
      volatility(audits),
    ]),
  ]
  return html`${cards}`
}

const card = (id: string, title: string, parts: readonly Html[]): Html =>
  html`<section class="card" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    <div class="scroll" id="${id}" data-live tabindex="0" role="region" aria-labelledby="${id}-title">
      ${parts}
    </div>
  </section>`

/** The chart's markup is the renderer's own; every text in it is escaped there. */
const figure = (caption: string, svg: string | undefined): Html =>
  svg === undefined
    ? html``
    : html`<figure>
        <figcaption>${caption}</figcaption>
        ${{ markup: svg }}
      </figure>`

const fixes = (audits: AuditsView): Html =>
  table(
    'Fixes by error type',
    ['Error type', '#Fixes', '#Tokens', '#Per fix'],
    audits.fixes
      .slice(0, TOP)
      .map(({ errorType, fixes: n, tokens }) => [
        errorType === '' ? 'none given' : errorType,
        count(n),
        count(tokens),
        quotient(tokens, n, 'whole'),
      ]),
  )

const revisions = (audits: AuditsView): Html =>
  table(
    'Revisions of GEMINI.md by first sight',
    ['Revision', '#Builds', '#First-pass rate', '#Tokens per success'],
    audits.revisions
      .slice(-TOP)
      .map(({ label, builds, judged, firstPass, tokens, successes }) => [
        label,
        count(builds),
        quotient(firstPass, judged, 'percent'),
        quotient(tokens, successes, 'whole'),
      ]),
  )

const implement = (audits: AuditsView): Html =>
  table(
    'Implement instructions by wording',
    ['Wording', '#Builds', '#First-pass rate', '#Completion per build'],
    audits.implement
      .slice(0, TOP)
      .map(({ wording, builds, judged, firstPass, completionTokens }) => [
        wording,
        count(builds),
        quotient(firstPass, judged, 'percent'),
        quotient(completionTokens, builds, 'whole'),
      ]),
  )

const fixPrompts = (audits: AuditsView): Html =>
  table(
    'Fix prompts by wording',
    ['Wording', '#Completion tokens', '#Rework cost factor'],
    audits.fixPrompts
      .slice(0, TOP)
      .map(({ wording, completionTokens, errorLogChars }) => [
        wording,
        count(completionTokens),
        quotient(completionTokens, errorLogChars, 'fraction'),
      ]),
  )

const volatility = (audits: AuditsView): Html =>
  table(
    'Validations under each revision',
    ['Revision', '#Validations', '#Passed', '#Tokens per build'],
    audits.revisions
      .slice(-TOP)
      .map(({ label, validations, passed, tokens, builds }) => [
        label,
        count(validations),
        quotient(passed, validations, 'percent'),
        quotient(tokens, builds, 'whole'),
      ]),
  )
