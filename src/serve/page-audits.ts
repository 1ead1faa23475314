import type { ChartSet } from '../charts/chart-set.ts'
import { counted, decimal, number, percent, quotient, shownOf, typeName } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { figure } from '../render/parts.ts'
import { table } from '../render/table.ts'
import { liveCard } from './page-live.ts'
import type { AuditsView, StatusView } from './status.ts'

const TOP = 12

/** The four audits: a card for each, with charts and tables. */
export function auditCards({ audits, recent: { kept } }: StatusView, charts: ChartSet | undefined): Html {
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
      errors(audits),
    ]),
    liveCard('prompt-refinement', 'Prompt refinement', [
      chart('First-pass rate by version of the implement prompt, with 95 % interval', charts?.promptVersions),
      implement(audits),
      fixPrompts(audits, kept),
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
    `Fixes by error type${shownOf(audits.fixes.length, TOP)}`,
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
    `Revisions of GEMINI.md by first sight${shownOf(audits.revisions.length, TOP)}`,
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
    `Implement prompts by version${shownOf(audits.implement.length, TOP)}`,
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

const fixPrompts = ({ fixPrompts: prompts }: AuditsView, kept: number): Html =>
  table(
    `Fix prompts by version, in the ${counted(kept, 'build')} that started last${shownOf(prompts.length, TOP)}`,
    ['Prompt version', '#Fixes', '#Tokens per fix', '#Rework cost factor'],
    prompts
      .slice(0, TOP)
      .map(({ version, fixes: n, tokens, completionTokens, errorLogChars }) => [
        version === '' ? '(none given)' : version,
        number(n),
        quotient(tokens, n, number),
        quotient(completionTokens, errorLogChars, decimal),
      ]),
  )

/** A rate over fewer builds is withheld, as on the dashboards. */
const MIN_BUILDS = 20
const REVISIONS = 4

/** How often each error occurs under the latest revisions. */
function errors({ errorsByRevision, revisions }: AuditsView): Html {
  const latest = revisions.slice(-REVISIONS)
  const rows = errorsByRevision
    .slice(0, TOP)
    .map(({ errorType, failures }) => [
      typeName(errorType),
      ...failures.slice(-REVISIONS).map((n, i) => per100(n, latest[i]?.builds ?? 0)),
    ])
  return latest.length === 0
    ? html``
    : table(
        `Failed validations for every 100 builds under the latest revisions${shownOf(revisions.length, REVISIONS)}`,
        [
          'Error type',
          ...latest.map(({ label, builds: n }) => `#${label.split(' ')[0] ?? ''}, n = ${number(n)}`),
        ],
        rows,
      )
}

const per100 = (failures: number, builds: number): string =>
  builds < MIN_BUILDS ? `n < ${MIN_BUILDS}` : ((100 * failures) / builds).toFixed(1)

const volatility = (audits: AuditsView): Html =>
  table(
    `Validations under each revision${shownOf(audits.revisions.length, TOP)}`,
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
