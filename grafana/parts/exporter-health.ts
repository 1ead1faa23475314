import type { Band } from './layout.ts'
import { stat, thresholds } from './panels.ts'
import { count } from './promql.ts'

/** The scrape job of the exporter, fixed in prometheus.yml. */
const JOB = 'job="audit-trace-exporter"'

/** Whether the numbers above can be trusted, in one line. */
export const exporterBand = (): Band => ({
  heading: 'Can these numbers be trusted?',
  height: 4,
  panels: [
    [
      6,
      stat({
        title: 'Exporter',
        description: 'Whether Prometheus reaches the exporter.',
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
        title: 'Not read yet',
        description: 'Bytes that stand in the files and are not read yet; falls to 0 within seconds.',
        unit: 'bytes',
        queries: [{ expr: 'sum(audit_exporter_lag_bytes)' }],
      }),
    ],
    [
      6,
      stat({
        title: 'Lines rejected',
        description:
          'Lines in this range that could not be counted. The exporter’s log names file, line and cause.',
        unit: 'short',
        decimals: 0,
        queries: [{ expr: count('rejectedLines') }],
      }),
    ],
    [
      6,
      stat({
        title: 'Last entry',
        description: 'Time since the latest entry of any build.',
        unit: 's',
        decimals: 0,
        queries: [{ expr: 'clamp_min(time() - max(audit_last_entry_timestamp_seconds), 0)' }],
      }),
    ],
  ],
})
