import { EMPTY } from '../../parts/empty.ts'
import { gone, up } from '../../../prometheus/exporters.ts'
import { exactIncrease } from '../../../prometheus/increase.ts'
import { COLORS } from '../../parts/colors.ts'
import { words } from '../../parts/exporter-health.ts'
import { type Column, table } from '../../parts/tables.ts'
import { EXPORTERS } from './selectors.ts'

const by = (expression: string): string => `max by (job, instance) (${expression})`
const gauge = (name: string): string => `${name}{${EXPORTERS}}`
const rejected = `sum by (job, instance) (${exactIncrease({
  name: 'audit_exporter_rejected_lines_total',
  exporters: EXPORTERS,
  window: '$__range',
  whole: true,
})})`
const alive = `${by(up(EXPORTERS))} * 0`

/** The worse, the higher: the first condition that holds for an exporter. */
const STATUS = [
  [`${gone(EXPORTERS)} * 0 + 6`, 'gone, unfinished', COLORS.bad],
  [`(${by(up(EXPORTERS))} == 0) + 5`, 'down', COLORS.bad],
  [
    `${by(gauge('audit_exporter_state_durable'))} * 0 + 4 unless ${by(gauge('audit_exporter_state_durable'))} > 0`,
    'cannot write its state',
    COLORS.bad,
  ],
  [`(${by(gauge('audit_exporter_lag_bytes'))} > 1048576) * 0 + 3`, 'behind', COLORS.warning],
  [`(${rejected} > 0) * 0 + 2`, 'rejects lines', COLORS.warning],
  [`${alive} + 1`, 'up', COLORS.good],
] as const

const number = (name: string, expr: string, unit: string, width: number, decimals = 0): Column => ({
  name,
  expr,
  unit,
  decimals,
  width,
})

/** One row per exporter that is up, down, or gone with unfinished builds; what needs attention comes first. */
export const instances = table({
  title: 'Exporters',
  description:
    'One row per exporter, those that need attention first. “gone, unfinished”: ceased to be a target, or to push, in the last 6 hours while builds were open or bytes unread. “behind”: more than 1 MiB is unread. “rejects lines”: in this time range. Exporters that ended with nothing open are not listed.',
  labels: [
    { label: 'instance', name: 'Instance', minWidth: 148 },
    { label: 'job', name: 'Job', width: 150 },
  ],
  columns: [
    {
      name: 'Status',
      expr: STATUS.map(([expr]) => expr).join(' or '),
      unit: 'none',
      width: 125,
      look: [
        {
          id: 'mappings',
          value: [
            words(
              Object.fromEntries(
                STATUS.map(([, text, color], index) => [String(STATUS.length - index), [text, color]]),
              ),
            ),
          ],
        },
        { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
      ],
    },
    number('Open builds', `${by(gauge('audit_builds_in_progress'))} or ${gone(EXPORTERS)}`, 'locale', 70),
    number('Unread', by(gauge('audit_exporter_lag_bytes')), 'bytes', 72, 1),
    number('Rejected lines', rejected, 'locale', 82),
    number('Last entry', `${by(gauge('audit_last_entry_timestamp_seconds'))} * 1000`, 'dateTimeAsIso', 158),
    number('Memory', by(gauge('process_resident_memory_bytes')), 'bytes', 74),
    number('Series', by(gauge('audit_exporter_series')), 'locale', 66),
  ],
  filters: [{ column: 'Status', above: 0 }],
  empty: EMPTY.exporters,
  sortBy: ['-Status', 'Instance'],
})
