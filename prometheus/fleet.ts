import { stringify } from 'yaml'
import { CATALOGUE, prometheusName, type MetricKey } from '../src/metrics/catalogue.ts'
import { range, select } from './increase.ts'
import type { RuleOptions } from './options.ts'
import type { RecordingRule, RuleGroup } from './rule.ts'

/**
 * What leaves a Prometheus that scrapes many exporters (decisions/205): either the series that dashboards use, or sums over
 * all exporters.
 */

/** How long a sum covers, and how often it is recorded. */
const STEP = '5m'
/** Sums end this long ago: by then every scrape that began before is stored. */
const LATE = '1m'
const BEGIN = '6m'
/** How long an exporter may be away without any loss. */
const LOOKBACK = '1h'

/** That the sums were recorded: once for each step. */
const EVALUATED = 'audit_fleet:evaluated'

/** The counters of which sums are recorded: all exact ones, and number and sum of each histogram. */
const SUMMED = (Object.keys(CATALOGUE) as MetricKey[])
  .map((key) => CATALOGUE[key])
  .flatMap((definition) => {
    const name = prometheusName(definition)
    const names = definition.kind === 'counter' ? [name] : [`${name}_count`, `${name}_sum`]
    return names.map((name) => ({ name, labels: definition.labels }))
  })

/** The name of the sums of a counter: `audit_fleet:tokens:increase5m` of `audit_tokens_total`. */
export const fleetName = (name: string): string =>
  `audit_fleet:${name.replace(/^audit_/, '').replace(/_total$/, '')}:increase${STEP}`

/**
 * What each series has counted in a step: its last value minus the one before the step, or minus its least value if it
 * began in it, plus what it fell by if its exporter lost its state.
 */
function counted(series: string): string {
  const inside = range(series, STEP, LATE)
  const before = `last_over_time(${range(series, LOOKBACK, BEGIN)})`
  const [last, least, most] = ['last', 'min', 'max'].map((what) => `${what}_over_time(${inside})`)
  return `${last} - (${before} or ${least})
+ ((${most} - ${least} and resets(${inside}) > 0) or (${before} - ${least} > 0) or 0 * ${last})`
}

/** Sums over all exporters of what was counted in each step, by all labels but `job` and `instance`. */
export function fleetGroups({ selector }: RuleOptions): RuleGroup[] {
  const sums = SUMMED.map(({ name, labels }): RecordingRule => ({
    record: fleetName(name),
    expr: `sum by (${labels.join(', ')}) (\n${counted(select(name, selector))}\n) > 0`,
  }))
  return [
    {
      name: 'audit-fleet',
      interval: STEP,
      rules: [{ record: EVALUATED, expr: 'vector(1)' }, ...sums],
    },
  ]
}

/** The metrics that these queries read, sorted. */
function metricsOf(queries: Iterable<string>): string[] {
  const names = new Set<string>()
  for (const query of queries)
    for (const [name] of query.matchAll(
      /\b(?:audit_|process_|nodejs_)\w+(?::\w+)*|\b\w+:\w+:\w+\b|\bup\b|\bALERTS(?:_FOR_STATE)?\b/g,
    ))
      // Without the text of variables that are the beginning of a name.
      if (!name.endsWith('_')) names.add(name)
  return [...names].toSorted()
}

/** Names that rules record over all exporters: they have no label `instance`. */
const RECORDED = '(audit|audit_fleet|context_hash|error_type):.+|ALERTS(_FOR_STATE)?'

/** Configurations with nothing but a receiver: one for the metrics of these queries, one for sums. */
export const remoteWriteFiles = (queries: Iterable<string>): ReadonlyMap<string, string> =>
  new Map([
    ['remote-write-panels.yml', remoteWrite(ABOUT_PANELS, metricsOf(queries).join('|'))],
    ['remote-write-sums.yml', remoteWrite(ABOUT_SUMS, RECORDED)],
  ])

const remoteWrite = (about: string, kept: string): string =>
  `${about
    .split('\n')
    .map((line) => `# ${line}`)
    .join('\n')}\n${stringify(
    {
      remote_write: [
        {
          url: 'https://receiver.example.org/api/v1/write',
          write_relabel_configs: [{ source_labels: ['__name__'], regex: kept, action: 'keep' }],
        },
      ],
    },
    { lineWidth: 120, singleQuote: true },
  )}`

const ABOUT_PANELS = `Generated; do not edit. What the dashboards read, by exporter: all of them work on the receiver. Add this to the
configuration of the Prometheus that scrapes and evaluates prometheus/rules: docs/deploy.md.`

const ABOUT_SUMS = `Generated; do not edit. Only sums over all exporters, as prometheus/fleet/rules.yml and prometheus/rules record them. Add this
to the configuration of the Prometheus that scrapes and evaluates both: docs/deploy.md.`
