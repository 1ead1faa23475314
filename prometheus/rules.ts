import { stringify } from 'yaml'
import { alertGroups } from './alerts.ts'
import { fleetGroups } from './fleet.ts'
import { livesGroups } from './lives.ts'
import type { RuleOptions } from './options.ts'
import { recordingGroups } from './recording.ts'
import { revisionGroups } from './revisions.ts'
import type { AlertRule, RecordingRule, RuleGroup } from './rule.ts'

const comment = (text: string): string => text.replaceAll(/^(?=.)/gm, '# ').replaceAll(/^$/gm, '#')

const file = (about: string, groups: readonly RuleGroup<RecordingRule | AlertRule>[]): string =>
  `${comment(`Generated; do not edit. For other job names, namespaces or a runbook at another address:\naudit-trace-exporter assets --help\n\n${about}`)}\n` +
  stringify({ groups }, { lineWidth: 0, blockQuote: 'literal', singleQuote: true })

/** The rule files of Prometheus, by name. */
export const ruleFiles = (options: RuleOptions): ReadonlyMap<string, string> =>
  new Map([
    ['revisions.yml', file(ABOUT_REVISIONS, revisionGroups(options))],
    ['lives.yml', file(ABOUT_LIVES, livesGroups(options))],
    ['recording.yml', file(ABOUT_RECORDING, recordingGroups(options))],
    ['alerts.yml', file(ABOUT_ALERTS, alertGroups(options))],
  ])

/** Rules for a Prometheus that scrapes many exporters and sends only sums on. Not among `rules`: few need them. */
export const fleetRules = (options: RuleOptions): string => file(ABOUT_FLEET, fleetGroups(options))

const ABOUT_FLEET = `Sums over all exporters, for a receiver that gets nothing else (decisions/205). …:increase5m is what was counted from six
minutes to one minute before its time; add it up with sum_over_time(). Sums of zero are not recorded.

audit_fleet:evaluated: once for each step, so that a step that is missing can be seen.`

const ABOUT_REVISIONS = `The order of GEMINI.md revisions: by their first use over all exporters and over time, then by hash. The version (v1,
v2, …) is the place in that order, so all panels and alerts agree however many exporters there are.

context_hash:audit_context_first_seen_timestamp_seconds:min: the earliest use, in seconds since 1970. It remembers what
  an exporter reported that is gone, as long as no day passes without an evaluation.
context_hash:audit_context_order:key: that time in milliseconds and the first digits of the hash, as one number.
context_hash:audit_context_order:rank: 1 + the number of lesser keys. PromQL cannot compare each series with each other
  one, but it can join by equal labels: two different keys are equal above one highest bit, and differ there.
context_hash:audit_context_version:info: the version, and the name on panels: short hash and day of the first use (UTC).`

const ABOUT_LIVES = `The lives of the series of counters, so that dashboards need not read all samples of a time range (decisions/157).

…:kept: the value of a series where it begins, for six minutes; where it ends, for sixteen minutes; and every six hours, so
  that there is one where the retention of Prometheus has removed its beginning.
…:fell: by how much a counter fell when its exporter lost its state, for twelve minutes; \`state\` is when its new state
  began.
audit_lives:evaluated: that these rules were evaluated.`

const ABOUT_RECORDING = `Recording rules for alerts. Names are level:metric:operation. Numerators and denominators are recorded separately, because
only sums may be divided. Increases are exact: the last value in a window minus the value before it, for each series of
each exporter (decisions/090). Where an exporter lost its state, increase() takes over.`

const ABOUT_ALERTS = `Each alert has a section in docs/runbook.md, and tests in prometheus/tests for firing, for not firing, and for a fleet.
The label \`audit\` says what the alert is about: builds, exporter, or alerting itself.`
