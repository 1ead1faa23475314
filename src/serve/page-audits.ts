import type { ChartSet } from '../charts/chart-set.ts'
import { decimal, number, percent, quotient, typeName } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { figure } from '../render/parts.ts'
import { table } from '../render/table.ts'
import { liveCard } from './page-live.ts'
import type { AuditsView } from './status.ts'

const TOP = 12

/** The four audits: a card for each, with charts and tables. */
export function auditCards(audits: AuditsView, charts: ChartSet | undefined): Html {
  const cards = [
    liveCard('token-efficiency', 'Token efficiency', [
      chart('Tokens of one fix, by the error that it answers', charts?.fixCost),
      fixes(audits),
      chart(
        'Prompt tokens by part: GEMINI.md, instruction, and other (system prompt, tools, history)',
        charts?.promptShare,
      ),
    ]),
    liveCard('constraint-effectiveness', 'Constraint effectiveness', [
      chart('First-pass rate by revision of GEMINI.md, with 95 % interval', charts?.revisions),
      revisions(audits),
    ]),
    liveCard('prompt-refinement', 'Prompt refinement', [
      chart('First-pass rate by version of the implement prompt, with 95 % interval', charts?.promptVersions),
      implement(audits),
      fixPrompts(audits),
    ]),
    liveCard('context-volatility', 'Context volatility', [
      chart('Validations passed and tokens per build, from revision to revision', charts?.volatility),
      volatility(audits),
    ]),
  ]
  return html`${cards}`
}

/** The renderer has escaped every text in the chart. */
const chart = (caption: string, svg: string | undefined): Html =>
  svg === undefined ? html`` : figure(caption, { markup: svg })

const fixes = (audits: AuditsView): Html =>
  table(
    'Fixes by error type',
    ['Error type', '#Fixes', '#Tokens', '#Per fix'],
    audits.fixes
      .slice(0, TOP)
      .map(({ errorType, fixes: n, tokens }) => [
        typeName(errorType),
        number(n),
        number(tokens),
        quotient(tokens, n, number),
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
        number(builds),
        quotient(firstPass, judged, percent),
        quotient(tokens, successes, number),
      ]),
  )

const implement = (audits: AuditsView): Html =>
  table(
    'Implement prompts by version',
    ['Prompt version', '#Builds', '#First-pass rate', '#Completion per build'],
    audits.implement
      .slice(0, TOP)
      .map(({ promptVersion, builds, judged, firstPass, completionTokens }) => [
        promptVersion,
        number(builds),
        quotient(firstPass, judged, percent),
        quotient(completionTokens, builds, number),
      ]),
  )

const fixPrompts = (audits: AuditsView): Html =>
  table(
    'Fix prompts by version',
    ['Prompt version', '#Completion tokens', '#Rework cost factor'],
    audits.fixPrompts
      .slice(0, TOP)
      .map(({ promptVersion, completionTokens, errorLogChars }) => [
        promptVersion,
        number(completionTokens),
        quotient(completionTokens, errorLogChars, decimal),
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
        number(validations),
        quotient(passed, validations, percent),
        quotient(tokens, builds, number),
      ]),
  )
