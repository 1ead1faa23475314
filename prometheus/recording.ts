import { CATALOGUE, type MetricKey, prometheusName } from '../src/metrics/catalogue.ts'
import { exactIncrease, sumBy, sumOfIncrease } from './increase.ts'
import type { RuleOptions } from './options.ts'
import type { RecordingRule, RuleGroup } from './rule.ts'

interface Window {
  readonly window: string
  readonly offset?: string
}

const HOUR: Window = { window: '1h' }
const SIX_HOURS: Window = { window: '6h' }
const DAY: Window = { window: '1d' }
const MONTH: Window = { window: '30d' }
/** The baseline: the week that ends where the compared window begins, so that an incident is not its own baseline. */
const WEEK_BEFORE_SIX_HOURS: Window = { window: '7d', offset: '6h' }
const WEEK_BEFORE_DAY: Window = { window: '7d', offset: '1d' }

const VERDICT = 'outcome!="abandoned"'
const FIRST_PASS = 'outcome="first_pass"'
const SUCCESS = 'outcome=~"first_pass|after_rework"'
const PREVIOUS = 'context_hash:audit_context_previous:info'

/** The end of a rule's name: `increase7d_offset6h`. */
const suffix = ({ window, offset }: Window): string =>
  `increase${window}${offset === undefined ? '' : `_offset${offset}`}`

/**
 * All recording rules of increases. They read the sums over revisions: a week of each revision with each error type would be
 * more samples than Prometheus takes. Week-long windows change slowly, so their groups have longer intervals.
 */
export function recordingGroups({ selector: exporters }: RuleOptions): RuleGroup[] {
  const nameOf = (metric: MetricKey): string => prometheusName(CATALOGUE[metric])
  const amount = (record: string, name: string, at: Window): RecordingRule => ({
    record: `${record}:${suffix(at)}`,
    expr: sumOfIncrease([], { name, exporters, ...at }),
  })
  const number = (name: string, where: string, at: Window, by: readonly string[] = []): string =>
    sumOfIncrease(by, { name, where, exporters, ...at, whole: true })
  const builds = (where: string, at: Window): string => number(nameOf('overallBuilds'), where, at)
  const buildsByRevision = (where: string, at: Window): string => number(nameOf('builds'), where, at, BY)

  const factorParts = (at: Window): RecordingRule[] => [
    amount('audit:rework_completion_tokens', nameOf('overallReworkCompletionTokens'), at),
    amount('audit:rework_error_log_chars', nameOf('overallReworkErrorLogChars'), at),
    // Fixes that have a cost factor; fixes without one are in neither sum.
    {
      record: `audit:rework_cost_factor_count:${suffix(at)}`,
      expr: number('audit_rework_cost_factor_count', '', at),
    },
  ]
  const outcomes = (at: Window): RecordingRule[] => {
    const [judged, tokens] = [`audit:builds_judged:${suffix(at)}`, `audit:build_tokens:${suffix(at)}`]
    return [
      // Builds with a verdict. Abandoned builds have none.
      { record: judged, expr: builds(VERDICT, at) },
      {
        record: `audit:builds_first_pass:${suffix(at)}`,
        expr: `${builds(FIRST_PASS, at)} or ${judged} * 0`,
      },
      amount('audit:build_tokens', nameOf('overallBuildTokens'), at),
      // Zero, not missing, if tokens were spent and no build ever succeeded.
      { record: `audit:builds_succeeded:${suffix(at)}`, expr: `${builds(SUCCESS, at)} or ${tokens} * 0` },
    ]
  }
  const errors = (at: Window): RecordingRule[] => {
    const entries = (where: string): string =>
      exactIncrease({ name: nameOf('overallEntries'), where, exporters, ...at, whole: true })
    return [
      // Validations: entries that fail in any phase, and those that pass in the phase `verify`.
      {
        record: `audit:validations:${suffix(at)}`,
        expr: sumBy([], `\n${entries('status="fail"')}\nor\n${entries('status="pass",phase="verify"')}\n`),
      },
      {
        record: `error_type:failed_validations:${suffix(at)}`,
        expr: number(nameOf('overallEntries'), 'status="fail",error_type!=""', at, ['error_type']),
      },
    ]
  }
  return [
    { name: 'audit-rework', interval: '1m', rules: [...factorParts(HOUR), ...factorParts(SIX_HOURS)] },
    { name: 'audit-builds', interval: '1m', rules: outcomes(DAY) },
    { name: 'audit-errors', interval: '1m', rules: errors(SIX_HOURS) },
    // Not longer than 2m: an instant query looks back 5 minutes, and a late evaluation must not leave a gap.
    {
      name: 'audit-usual',
      interval: '2m',
      rules: [
        ...factorParts(WEEK_BEFORE_SIX_HOURS),
        ...outcomes(WEEK_BEFORE_DAY),
        ...errors(WEEK_BEFORE_SIX_HOURS),
      ],
    },
    { name: 'audit-contexts', interval: '2m', rules: contexts(buildsByRevision) },
  ]
}

const BY = ['context_hash']

/** Builds by revision: of the last day (which revisions are in use), of 30 days, and those of the predecessor. */
function contexts(builds: (where: string, at: Window) => string): RecordingRule[] {
  const judged = `context_hash:builds_judged:${suffix(MONTH)}`
  const firstPass = `context_hash:builds_first_pass:${suffix(MONTH)}`
  return [
    { record: `context_hash:builds_judged:${suffix(DAY)}`, expr: builds(VERDICT, DAY) },
    { record: judged, expr: builds(VERDICT, MONTH) },
    { record: firstPass, expr: `${builds(FIRST_PASS, MONTH)} or ${judged} * 0` },
    { record: `context_hash:builds_judged_previous:${suffix(MONTH)}`, expr: ofPredecessor(judged) },
    { record: `context_hash:builds_first_pass_previous:${suffix(MONTH)}`, expr: ofPredecessor(firstPass) },
  ]
}

/** The value of the predecessor, under the hash and with the names of its successor. */
const ofPredecessor = (record: string): string => `sum by (context_hash, revision, previous_revision) (
label_replace(${record}, "previous_hash", "$1", "context_hash", "(.*)")
* on (previous_hash) group_left (context_hash, revision, previous_revision)
topk by (previous_hash) (1, ${PREVIOUS})
)`
