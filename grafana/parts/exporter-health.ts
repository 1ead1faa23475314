import type { Band } from './layout.ts'
import { stat, thresholds } from './panels.ts'
import { count } from './promql.ts'

/** The scrape job of the exporter, as set in prometheus.yml. */
const JOB = 'job="audit-trace-exporter"'

/** A row of four numbers that says whether the exporter is up and has read everything. */
export const exporterBand = (): Band => ({
  heading: 'Exporter health',
  height: 4,
  panels: [
    [
      6,
      stat({
        title: 'Exporter',
        description: 'Whether Prometheus can scrape the exporter.',
        unit: 'none',
        queries: [{ expr: `min(up{${JOB}}) or vector(0)` }],
      })
        .mappings([
          {
            type: 'value',
            options: { '0': { text: 'down', color: 'red' }, '1': { text: 'up', color: 'green' } },
          } as never,
        ])
        .thresholds(thresholds({ color: 'red', value: null }, { color: 'green', value: 1 })),
    ],
    [
      6,
      stat({
        title: 'Unread bytes',
        description:
          'Bytes in the trace files that the exporter has not read yet. Normally 0 within seconds.',
        unit: 'bytes',
        queries: [{ expr: 'sum(audit_exporter_lag_bytes)' }],
      }),
    ],
    [
      6,
      stat({
        title: 'Rejected lines',
        description:
          'Lines that the exporter could not count in this time range. Its log names file, line and cause.',
        unit: 'short',
        decimals: 0,
        queries: [{ expr: count('rejectedLines') }],
      }),
    ],
    [
      6,
      stat({
        title: 'Time since the last entry',
        description: 'Time since the latest entry of any build.',
        unit: 's',
        decimals: 0,
        queries: [{ expr: 'clamp_min(time() - max(audit_last_entry_timestamp_seconds), 0)' }],
      }),
    ],
  ],
})
