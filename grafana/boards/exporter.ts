import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { exporterBand } from '../parts/exporter-health.ts'
import { bars, fixedColor, lines, stat, thresholds } from '../parts/panels.ts'
import { BUCKET, count, grewInBucket, total } from '../parts/promql.ts'

const JOB = 'job="audit-trace-exporter"'

const yesNo = (good: string, bad: string) => [
  {
    type: 'value',
    options: { '0': { text: bad, color: 'red' }, '1': { text: good, color: 'green' } },
  } as never,
]

const durable = stat({
  title: 'State',
  description:
    'Whether the last commit reached the disk. Where it does not, the exporter stops counting and shows the last safe totals.',
  unit: 'none',
  queries: [{ expr: 'min(audit_exporter_state_durable)' }],
})
  .mappings(yesNo('durable', 'not durable'))
  .thresholds(thresholds({ color: 'red', value: null }, { color: 'green', value: 1 }))

const version = stat({
  title: 'Version',
  description: 'Version of the exporter that answers now.',
  unit: 'none',
  queries: [{ expr: 'max by (version) (audit_exporter_build_info)', legend: '{{version}}' }],
}).textMode('name' as never)

const balance = bars({
  title: 'Bytes read, by what became of them',
  description: 'Counted, rejected or skipped: together with what is pending, every byte of every file.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: total('readBytes', { by: ['result'], window: BUCKET }), legend: '{{result}}', interval: '1m' },
  ],
})

const lag = lines({
  title: 'Unread and unfinished bytes',
  description:
    'Lag: bytes that stand in the files and are not read. Pending: bytes of last lines that have no line end yet.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: 'sum(audit_exporter_lag_bytes)', legend: 'lag' },
    { expr: 'sum(audit_exporter_pending_bytes)', legend: 'pending' },
  ],
})

const rejected = bars({
  title: 'Rejected lines and odd entries',
  description:
    'Lines that could not be counted, by reason, and entries that were counted although something about them is odd.',
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
      legend: 'odd: {{reason}}',
      interval: '1m',
    },
  ],
})

const files = lines({
  title: 'Files',
  description: 'Files known to the exporter, by their state.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [{ expr: 'sum by (state) (audit_exporter_files)', legend: '{{state}}' }],
})

const fileEvents = bars({
  title: 'Trouble with files',
  description: 'Failed operations on files (tried again by themselves), files cut off and files renamed.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: `sum by (op) (${grewInBucket('audit_exporter_file_errors_total')})`,
      legend: 'failed: {{op}}',
      interval: '1m',
    },
    { expr: count('truncations', { window: BUCKET }), legend: 'cut off', interval: '1m' },
    { expr: count('rotations', { window: BUCKET }), legend: 'renamed', interval: '1m' },
  ],
})

const commits = lines({
  title: 'Time of a commit',
  description:
    'How long it takes to write what changed: the time that half and that 99 of 100 commits stay below.',
  unit: 's',
  min: 0,
  queries: [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(audit_exporter_commit_duration_seconds_bucket[$__rate_interval])))`,
    legend: quantile === 0.5 ? 'half' : '99 of 100',
  })),
})

const commitRate = lines({
  title: 'Commits a second',
  description: 'Commits of the state for every second.',
  unit: 'short',
  decimals: 1,
  min: 0,
  queries: [{ expr: 'sum(rate(audit_exporter_commits_total[$__rate_interval]))', legend: 'commits' }],
}).colorScheme(fixedColor('blue'))

const series = lines({
  title: 'Series kept',
  description: 'Exact time series in the state, those held back or hidden among them.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [{ expr: 'sum(audit_exporter_series)', legend: 'series' }],
}).colorScheme(fixedColor('blue'))

const overflow = bars({
  title: 'Label values past the cap',
  description: 'Entries counted as _other because a label already has as many values as it may.',
  unit: 'locale',
  decimals: 0,
  min: 0,
  queries: [
    { expr: count('labelOverflow', { by: ['label'], window: BUCKET }), legend: '{{label}}', interval: '1m' },
  ],
})

const memory = lines({
  title: 'Memory and state on disk',
  description: 'Resident memory, JavaScript heap, and the size of the state.',
  unit: 'bytes',
  min: 0,
  queries: [
    { expr: `sum(process_resident_memory_bytes{${JOB}})`, legend: 'resident' },
    { expr: `sum(nodejs_heap_size_used_bytes{${JOB}})`, legend: 'heap' },
    { expr: 'sum(audit_exporter_state_bytes)', legend: 'state on disk' },
  ],
})

const cpu = lines({
  title: 'CPU',
  description: 'Share of one CPU that the exporter uses.',
  unit: 'percentunit',
  min: 0,
  queries: [{ expr: `sum(rate(process_cpu_seconds_total{${JOB}}[$__rate_interval]))`, legend: 'CPU' }],
}).colorScheme(fixedColor('blue'))

export const exporter = (): Dashboard =>
  board({
    uid: 'audit-exporter',
    title: 'Audit · Exporter',
    description: 'Whether the exporter reads everything and keeps what it read.',
    variables: [],
    from: 'now-6h',
    bands: [
      exporterBand(),
      {
        height: 4,
        panels: [
          [12, durable],
          [12, version],
        ],
      },
      {
        height: 7,
        panels: [
          [12, balance],
          [12, lag],
        ],
      },
      {
        height: 7,
        panels: [
          [12, rejected],
          [12, fileEvents],
        ],
      },
      {
        height: 7,
        panels: [
          [12, files],
          [12, series],
        ],
      },
      {
        height: 7,
        panels: [
          [12, commits],
          [12, commitRate],
        ],
      },
      {
        height: 7,
        panels: [
          [8, overflow],
          [8, memory],
          [8, cpu],
        ],
      },
    ],
  })
