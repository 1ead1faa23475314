import { gone, up } from '../../prometheus/exporters.ts'
import { matchers } from '../../prometheus/increase.ts'
import { COLORS } from './colors.ts'
import { EMPTY } from './empty.ts'
import type { Band } from './layout.ts'
import { stat, thresholds } from './panels.ts'
import { count } from './promql.ts'
import { JOB } from './selectors.ts'

/** A value mapping of single values to words with colours. */
export const words = (options: Readonly<Record<string, readonly [text: string, color: string]>>): never =>
  ({
    type: 'value',
    options: Object.fromEntries(
      Object.entries(options).map(([value, [text, color]], index) => [value, { text, color, index }]),
    ),
  }) as never

/** A row of four numbers that says whether all exporters are up and have read everything. */
export function exporterBand(where = ''): Band {
  const exporters = matchers(JOB, where)
  return {
    heading: 'Exporter health',
    height: 4,
    panels: [
      [
        6,
        stat({
          title: 'Exporter',
          description:
            'The worst state of all exporters. “down”: Prometheus cannot scrape one of them. “up” of an exporter that pushes: its last export is less than 5 minutes old. “gone, unfinished”: in the last 6 hours one ceased to be a target, or to push, while builds were open or bytes unread. “none”: there is no exporter.',
          unit: 'none',
          queries: [{ expr: `min(${up(exporters)} or ${gone(exporters)} * 0 - 1) or vector(2)` }],
        })
          .mappings([
            words({
              '-1': ['gone, unfinished', COLORS.bad],
              '0': ['down', COLORS.bad],
              '1': ['up', COLORS.good],
              '2': ['none', COLORS.warning],
            }),
          ])
          .thresholds(
            thresholds(
              { color: COLORS.bad, value: null },
              { color: COLORS.good, value: 1 },
              { color: COLORS.warning, value: 2 },
            ),
          ),
      ],
      [
        6,
        stat({
          title: 'Unread bytes',
          description:
            'Bytes in the trace files that the exporters have not read yet. Normally 0 within seconds.',
          unit: 'bytes',
          empty: EMPTY.exporters,
          queries: [{ expr: `sum(audit_exporter_lag_bytes{${exporters}})` }],
        }),
      ],
      [
        6,
        stat({
          title: 'Rejected lines',
          description:
            'Lines that the exporters could not count in this time range. Their logs name file, line and cause.',
          unit: 'short',
          decimals: 0,
          empty: EMPTY.exporters,
          queries: [{ expr: count('rejectedLines', { where }) }],
        }),
      ],
      [
        6,
        stat({
          title: 'Time since the last entry',
          description: 'Time since the latest entry of any build in this time range.',
          unit: 's',
          decimals: 0,
          empty: EMPTY.entries,
          queries: [
            {
              expr: `clamp_min(time() - max(max_over_time(audit_last_entry_timestamp_seconds{${exporters}}[$__range])), 0)`,
            },
          ],
        }),
      ],
    ],
  }
}
