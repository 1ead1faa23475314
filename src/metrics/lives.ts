import { CATALOGUE, prometheusName } from './catalogue.ts'

/**
 * What is recorded about the lives of series (decisions/157): by prometheus/rules/lives.yml, and by `backfill` for
 * imported history.
 */

/** The value of a series where it begins and where it ends, and now and then in between. */
export const keptName = (name: string): string => `${name}:kept`
/** By how much a counter fell when its exporter lost its state. */
export const fellName = (name: string): string => `${name}:fell`

/** The counters whose lives are recorded: those about builds. */
export const LIVED: ReadonlySet<string> = new Set(
  Object.values(CATALOGUE)
    .filter(({ kind, name }) => kind === 'counter' && name.startsWith('audit.'))
    .map(prometheusName),
)
