import { fellName, keptName, LIVED } from '../src/metrics/lives.ts'
import { type Increase, later, range, select, STATE_CREATED, sumBy } from './increase.ts'
import type { RuleOptions } from './options.ts'
import type { RecordingRule, RuleGroup } from './rule.ts'

/**
 * Increases at the cost of a few samples for each series, however long the window is (decisions/157). For a series that is
 * there at both ends of the window its values there are enough. Where it begins or ends in between, its value is
 * recorded: few samples, since few series begin or end.
 */

/** How old the last sample of a series may be at an end of a window: as long as Prometheus may be down without any loss. */
const RECENT = '1h'
/** How long the first value of a new series is recorded; then it is the turn of the last value of one that has ended. */
const NEW = '6m'
/** Until when the last value is recorded. */
const ENDED = '16m'
/** How long after its birth a series may be unknown to the rules. */
const UNKNOWN = '10m'
/** How long a fall is recorded. */
const FALLEN = '12m'
/** How long an exporter may be away at the beginning of a window without any loss, if the rules saw it go. */
const LOOKBACK = '1d'
/** How long after its end a series is recognised that returns with less. */
const MEMORY = '30d'

/** That the rules were evaluated. */
const EVALUATED = 'audit_lives:evaluated'

/** The increase of each series by its values at both ends of a window, and its falls in between. */
function increases({ name, where, exporters, window, offset, atEnd }: Increase): string {
  const start = offset === undefined ? window : later(window, offset)
  const over = (how: 'last' | 'min', of: string, length: string, back: string | undefined): string =>
    `${how}_over_time(${range(select(of, exporters, where), length, back, atEnd)})`
  const atEndOfWindow = [over('last', name, RECENT, offset), over('last', keptName(name), window, offset)]
  const atStart = [
    over('last', name, RECENT, start),
    // Where Prometheus was down, what was kept last may be hours older than the last sample.
    `(${over('last', keptName(name), LOOKBACK, start)} and on () last_over_time(${range(EVALUATED, UNKNOWN, start, atEnd)}))`,
    over('min', keptName(name), window, offset),
    // So new that no rule has seen it.
    over('min', name, UNKNOWN, offset),
  ]
  // What was still recorded when the window began is a fall before the window.
  const falls = `${over('min', fellName(name), window, offset)} unless ${over('last', fellName(name), FALLEN, start)}`
  return `(${atEndOfWindow.join(' or ')}) - (${atStart.join(' or ')}) or (${falls})`
}

/**
 * The sum of the increases of counters by labels, over the series that match any of `wheres`; no series may match two of
 * them. A group without any increase has no series, as with `sumBy`.
 */
export const sumOfLives = (
  by: readonly string[],
  increase: Increase,
  wheres: readonly (string | undefined)[] = [increase.where],
): string =>
  sumBy(
    by,
    wheres.map((where) => increases({ ...increase, ...(where !== undefined && { where }) })).join(' or '),
    increase.zeros,
  )

/** Rules that record the lives of series. What they record is little, but each evaluation looks at all series. */
export function livesGroups({ selector }: RuleOptions): RuleGroup[] {
  const wasEvaluated = `on () last_over_time(${EVALUATED}[2m] offset 4m)`
  const state = `count_values by (job, instance) ("state", ${select(STATE_CREATED, selector)})`
  const life = (name: string): RecordingRule[] => {
    const series = select(name, selector)
    const before = `${series} offset ${NEW}`
    const first = `min_over_time(${series}[${NEW}])`
    return [
      {
        record: fellName(name),
        expr: `(
  (max_over_time(${series}[${FALLEN}]) - min_over_time(${series}[${FALLEN}]) and resets(${series}[${FALLEN}]) > 0)
  or last_over_time(${select(keptName(name), selector)}[${MEMORY}] offset ${NEW}) - (${first} unless ${before}) > 0
)
* on (job, instance) group_left (state) ${state}`,
      },
      {
        record: keptName(name),
        expr: [
          `(${first} unless (${before} and ${wasEvaluated}))`,
          `(last_over_time(${series}[${ENDED}]) unless ${series})`,
          `(${series} and on () (hour() % 6 == 0 and minute() < 3))`,
        ].join('\nor\n'),
      },
    ]
  }
  return [
    {
      name: 'audit-lives',
      interval: '1m',
      rules: [{ record: EVALUATED, expr: 'vector(1)' }, ...[...LIVED].flatMap(life)],
    },
  ]
}
