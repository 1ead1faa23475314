import { bars, lines } from '../../parts/panels.ts'
import { BUCKET, count, increaseInBucket, total } from '../../parts/promql.ts'

export const bytesRead = bars({
  title: 'Bytes read by result',
  description: 'Bytes counted, rejected or skipped. With the pending bytes they are all bytes of all files.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: total('readBytes', { by: ['result'], window: BUCKET }), legend: '{{result}}', interval: '1m' },
  ],
})

export const lag = lines({
  title: 'Unread and pending bytes',
  description:
    'Unread: bytes in the files that the exporter has not read yet. Pending: bytes of last lines without a line end.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: 'sum(audit_exporter_lag_bytes)', legend: 'unread' },
    { expr: 'sum(audit_exporter_pending_bytes)', legend: 'pending' },
  ],
})

export const rejected = bars({
  title: 'Rejected lines and entry warnings',
  description:
    'Lines that the exporter could not count, and entries that it counted with a warning, by reason.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: count('rejectedLines', { by: ['reason'], window: BUCKET }),
      legend: 'rejected: {{reason}}',
      interval: '1m',
    },
    {
      expr: count('entryWarnings', { by: ['reason'], window: BUCKET }),
      legend: 'warning: {{reason}}',
      interval: '1m',
    },
  ],
})

export const files = lines({
  title: 'Files by state',
  description: 'Trace files known to the exporter, by state.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [{ expr: 'sum by (state) (audit_exporter_files)', legend: '{{state}}' }],
})

export const fileEvents = bars({
  title: 'File errors, truncations and rotations',
  description: 'Failed file operations (the exporter retries them), truncated files and rotated files.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `sum by (op) (${increaseInBucket('audit_exporter_file_errors_total')})`,
      legend: 'failed: {{op}}',
      interval: '1m',
    },
    { expr: count('truncations', { window: BUCKET }), legend: 'truncated', interval: '1m' },
    { expr: count('rotations', { window: BUCKET }), legend: 'rotated', interval: '1m' },
  ],
})
