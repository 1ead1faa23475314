import type { Alert } from './rule.ts'
import { gone, scraped } from './exporters.ts'
import { select, sumOfIncrease } from './increase.ts'
import type { RuleOptions } from './options.ts'

/** Alerts about single exporters, and the Watchdog. */
export function exporterAlerts({ selector, expected }: RuleOptions): Alert[] {
  const own = (name: string, where = ''): string => select(name, selector, where)
  const always = select('up', selector, expected)
  const increased = (name: string, window: string, by: readonly string[]): string =>
    sumOfIncrease(['job', 'instance', ...by], { name, exporters: selector, window, whole: true })
  return [
    {
      alert: 'AuditExporterDown',
      expr:
        `${scraped(selector)} == 0` + (expected === '' ? '' : `\nor ${always} == 0\nor absent(${always})`),
      for: '5m',
      labels: { severity: 'critical', audit: 'exporter' },
      summary: `Prometheus cannot scrape the exporter.`,
      description: `{{ if $labels.instance }}{{ $labels.instance }} has not answered for 5 minutes (up = {{ $value }}).{{ else }}Prometheus has had no exporter among its targets for 5 minutes.{{ end }} No data is lost while the trace files exist: the exporter continues at its last committed position.`,
    },
    // Discovery has dropped its target, so nothing else tells that it ended too early.
    {
      alert: 'AuditExporterGone',
      expr: gone(selector),
      for: '5m',
      labels: { severity: 'warning', audit: 'exporter' },
      summary: `An exporter is gone and left builds unfinished.`,
      description: `{{ $labels.instance }} is no longer a target of Prometheus. At its last scrape {{ $value | printf "%.0f" }} builds were open, and {{ with query (printf "last_over_time(audit_exporter_lag_bytes{job=%q,instance=%q}[6h])" $labels.job $labels.instance) }}{{ . | first | value | humanize1024 }}{{ else }}0{{ end }}B were unread. They are in no outcome and no total until an exporter with its state reads their files.`,
    },
    {
      alert: 'AuditExporterRejectingLines',
      expr: increased('audit_exporter_rejected_lines_total', '15m', ['reason']),
      keep_firing_for: '15m',
      labels: { severity: 'warning', audit: 'exporter' },
      summary: `The exporter rejects lines of trace files ({{ $labels.reason }}).`,
      description: `The exporter rejected {{ $value | printf "%.0f" }} line(s) in the last 15 minutes ({{ $labels.reason }}). Their entries are missing from all audits. The log names file, line and cause.`,
    },
    // At least 1 MiB unread for 15 minutes, or any unread byte while file operations fail.
    {
      alert: 'AuditExporterLagging',
      expr: `min_over_time(${own('audit_exporter_lag_bytes')}[15m]) > 1048576
or
(
  min_over_time(${own('audit_exporter_lag_bytes')}[15m]) > 0
  and on (job, instance) sum by (job, instance) (increase(${own('audit_exporter_file_errors_total')}[15m])) > 0
)`,
      for: '5m',
      keep_firing_for: '15m',
      labels: { severity: 'warning', audit: 'exporter' },
      summary: `The exporter does not keep up with the trace files.`,
      description: `At least {{ $value | humanize1024 }}B have been unread for 15 minutes at {{ $labels.instance }}. File errors in that time: {{ with query (printf "sum(increase(audit_exporter_file_errors_total{job=%q,instance=%q}[15m]))" $labels.job $labels.instance) }}{{ . | first | value | printf "%.0f" }}{{ else }}0{{ end }}.`,
    },
    {
      alert: 'AuditLabelOverflow',
      expr: increased('audit_exporter_label_overflow_total', '1h', ['label']),
      keep_firing_for: '1h',
      labels: { severity: 'warning', audit: 'exporter' },
      summary: `The label {{ $labels.label }} has reached its maximum number of values.`,
      description: `{{ $value | printf "%.0f" }} entries of the last hour were counted as {{ $labels.label }}="_other". Totals are right, but the values in _other cannot be distinguished.`,
    },
    {
      alert: 'AuditStateNotDurable',
      expr: `max_over_time(${own('audit_exporter_state_durable')}[1m]) == 0`,
      for: '2m',
      keep_firing_for: '5m',
      labels: { severity: 'critical', audit: 'exporter' },
      summary: `The exporter cannot write its state.`,
      description: `{{ $labels.instance }} has not been able to commit its state for 2 minutes (durable = {{ $value }}). It has stopped counting, serves the last committed totals, and resumes on its own once it can write.`,
    },
    {
      alert: 'Watchdog',
      expr: `vector(1)`,
      labels: { severity: 'none', audit: 'alerting' },
      summary: `Alerting works.`,
      description: `Always firing (value {{ $value }}). Send it to a dead man's switch, which notifies you when it stops.`,
    },
  ]
}
