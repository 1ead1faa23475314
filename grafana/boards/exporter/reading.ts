import { EMPTY } from '../../parts/empty.ts'
import { sumOfIncrease } from '../../../prometheus/increase.ts'
import { bars, lines } from '../../parts/panels.ts'
import { BUCKET, count, total } from '../../parts/promql.ts'
import { INSTANCE } from '../../parts/selectors.ts'
import { EXPORTERS } from './selectors.ts'

export const bytesRead = bars({
  title: 'Bytes read by result',
  description: 'Bytes counted, rejected or skipped. With the pending bytes they are all bytes of all files.',
  unit: 'bytes',
  empty: EMPTY.exporters,
  min: 0,
  queries: [
    {
      expr: total('readBytes', { by: ['result'], where: INSTANCE, window: BUCKET, zeros: true }),
      legend: '{{result}}',
      interval: '1m',
    },
  ],
})

export const lag = lines({
  title: 'Unread and pending bytes',
  description:
    'Unread: bytes in the files that the exporter has not read yet. Pending: bytes of last lines without a line end.',
  unit: 'bytes',
  empty: EMPTY.exporters,
  min: 0,
  queries: [
    { expr: `sum(audit_exporter_lag_bytes{${EXPORTERS}})`, legend: 'unread' },
    { expr: `sum(audit_exporter_pending_bytes{${EXPORTERS}})`, legend: 'pending' },
  ],
})

export const rejected = bars({
  title: 'Rejected lines and entry warnings',
  description:
    'Lines that the exporter could not count, and entries that it counted with a warning, by reason.',
  unit: 'locale',
  empty: EMPTY.exporters,
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: count('rejectedLines', { by: ['reason'], where: INSTANCE, window: BUCKET, zeros: true }),
      legend: 'rejected: {{reason}}',
      interval: '1m',
    },
    {
      expr: count('entryWarnings', { by: ['reason'], where: INSTANCE, window: BUCKET, zeros: true }),
      legend: 'warning: {{reason}}',
      interval: '1m',
    },
  ],
})

export const files = lines({
  title: 'Files by state',
  description: 'Trace files known to the exporter, by state.',
  unit: 'locale',
  empty: EMPTY.exporters,
  decimals: 0,
  min: 0,
  queries: [{ expr: `sum by (state) (audit_exporter_files{${EXPORTERS}})`, legend: '{{state}}' }],
})

export const fileEvents = bars({
  title: 'File errors, truncations and rotations',
  description: 'Failed file operations (the exporter retries them), truncated files and rotated files.',
  unit: 'locale',
  empty: EMPTY.exporters,
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: sumOfIncrease(['op'], {
        name: 'audit_exporter_file_errors_total',
        exporters: EXPORTERS,
        window: BUCKET,
        whole: true,
        keptIn: 'process',
        zeros: true,
      }),
      legend: 'failed: {{op}}',
      interval: '1m',
    },
    {
      expr: count('truncations', { where: INSTANCE, window: BUCKET, zeros: true }),
      legend: 'truncated',
      interval: '1m',
    },
    {
      expr: count('rotations', { where: INSTANCE, window: BUCKET, zeros: true }),
      legend: 'rotated',
      interval: '1m',
    },
  ],
})
