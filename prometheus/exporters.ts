import { select } from './increase.ts'

/** Exporters that Prometheus can scrape (1) or not (0). What it has seen within a day tells its exporters from other targets. */
export const up = (exporters: string): string =>
  `(${select('up', exporters)} and on (job, instance) last_over_time(${select('audit_exporter_build_info', exporters)}[1d]))`

/**
 * The open builds of exporters that are no longer targets, and that had open builds or unread bytes when they were last
 * scraped. Discovery drops the target of a pod that ended, and nothing else tells that it ended too early.
 */
export function gone(exporters: string): string {
  const last = (gauge: string): string =>
    `max by (job, instance) (last_over_time(${select(gauge, exporters)}[6h]))`
  const builds = last('audit_builds_in_progress')
  return `(${builds} and on (job, instance) (${builds} > 0 or ${last('audit_exporter_lag_bytes')} > 0) unless on (job, instance) ${select('up', exporters)})`
}
