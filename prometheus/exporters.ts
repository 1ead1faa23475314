import { select, STATE_CREATED } from './increase.ts'

const BUILD_INFO = 'audit_exporter_build_info'

/** Exporters that Prometheus can scrape (1) or not (0). What it has seen within a day tells its exporters from other targets. */
export const scraped = (exporters: string): string =>
  `(${select('up', exporters)} and on (job, instance) last_over_time(${select(BUILD_INFO, exporters)}[1d]))`

/**
 * Exporters that are up (1) or down (0). Nothing scrapes one that pushes, so it has no \`up\`: it is up until its last
 * export is five minutes old, and not listed from then on.
 */
export const up = (exporters: string): string =>
  `(${scraped(exporters)}` +
  ` or group by (job, instance) (${select(BUILD_INFO, exporters)}) unless on (job, instance) ${select('up', exporters)})`

/**
 * The open builds of exporters that are no longer targets, and that had open builds or unread bytes when they were last
 * scraped. Discovery drops the target of a pod that ended, and nothing else tells that it ended too early. An exporter
 * that goes on with the same state under another name is not gone.
 */
export function gone(exporters: string): string {
  const last = (gauge: string): string => `last_over_time(${select(gauge, exporters)}[6h])`
  const worst = (gauge: string): string => `max by (job, instance) (${last(gauge)})`
  const builds = worst('audit_builds_in_progress')
  const moved =
    `count_values by (job, instance) ("state", ${last(STATE_CREATED)})` +
    ` and on (job, state) count_values by (job) ("state", ${select(STATE_CREATED, exporters)})`
  return (
    `(${builds} and on (job, instance) (${builds} > 0 or ${worst('audit_exporter_lag_bytes')} > 0)` +
    ` unless on (job, instance) ${select('up', exporters)} unless on (job, instance) (${moved}))`
  )
}
