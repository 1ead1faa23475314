import {
  CATALOGUE,
  type MetricDefinition,
  type MetricKey,
  prometheusName,
  SUMS,
} from '../../src/metrics/catalogue.ts'
import { matchers } from '../../prometheus/increase.ts'
import { CONTEXT, COUNTED, EACH_CONTEXT, ERROR, FAMILIES, FAMILY, SCOPE, UNCOVERED } from './selectors.ts'

/** A counter and the label matchers of its series, without the braces. */
interface Counter {
  /** As Prometheus has it; it may contain the variable `family`. */
  readonly name: string
  readonly where: string
}

interface Asked {
  readonly by: readonly string[]
  readonly where?: string | undefined
  /** Further matchers, of which the series match any. */
  readonly alternatives?: readonly string[]
}

const MATCHED = /(\w+)(?:=~|!=|!~|=)"/g
const labelsOf = ({ by, where = '', alternatives = [] }: Asked): ReadonlySet<string> =>
  new Set([
    ...by,
    ...Array.from(matchers(where, ...alternatives).matchAll(MATCHED), ([, label]) => label as string),
  ])

const has = (metric: MetricKey, label: string): boolean => {
  const { labels }: MetricDefinition = CATALOGUE[metric]
  return labels.includes(label)
}

/** The sum of a counter that has all these labels and, if they are not by revision, has no revision; else itself. */
const sumOf = (metric: MetricKey, labels: ReadonlySet<string>): MetricKey =>
  (SUMS[metric] ?? []).find(
    (sum) =>
      has(sum, 'context_hash') === labels.has('context_hash') &&
      [...labels].every((label) => has(sum, label)),
  ) ?? metric

/** Whether an answer needs neither steps nor error types, except for the chosen ones, so that it can come from sums by phase. */
function hasSumByPhase(metric: MetricKey, { where = '', ...asked }: Asked): boolean {
  const labels = labelsOf({ ...asked, where: where.replace(CONTEXT, '').replace(ERROR, '') })
  const byPhase = nameOf(metric).replace(FAMILIES.own, FAMILIES.phase)
  return (SUMS[metric] ?? []).some(
    (sum) => nameOf(sum) === byPhase && [...labels].every((label) => has(sum, label)),
  )
}

const nameOf = (metric: MetricKey): string => prometheusName(CATALOGUE[metric])

/**
 * The counters that give an answer at the least cost; the first of them that has series does (decisions/191). Over all
 * revisions that is a sum, whose series have no `context_hash`; under chosen ones the counter itself. Variables decide it.
 */
export function countersOf(metric: MetricKey, asked: Asked): readonly Counter[] {
  const { by, where = '' } = asked
  const name = nameOf(metric)
  const narrowed = (context: string): string => where.replace(CONTEXT, context)
  if (by.includes('context_hash')) {
    const each = narrowed(EACH_CONTEXT)
    const sum = sumOf(metric, labelsOf(asked))
    // Of a few revisions there are few series.
    if (sum === metric || where.includes('$newest')) return [{ name, where: each }]
    return [
      { name, where: matchers(each, UNCOVERED) },
      { name: nameOf(sum), where: each },
    ]
  }
  if (!where.includes(CONTEXT)) return [{ name, where }]
  const sum = nameOf(sumOf(metric, labelsOf({ ...asked, where: where.replace(CONTEXT, '') })))
  // The variable is the beginning of one of these names, so only one is asked for.
  if (sum !== name.replace(FAMILIES.own, FAMILIES.overall))
    throw new Error(`${name} has no sum over revisions`)
  const family = hasSumByPhase(metric, asked) ? SCOPE : FAMILY
  return [{ name: name.replace(FAMILIES.own, family), where: narrowed(COUNTED) }]
}
