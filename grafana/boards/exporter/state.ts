import { EMPTY } from '../../parts/empty.ts'
import { COLORS } from '../../parts/colors.ts'
import { bars, fixedColor, lines, stat, thresholds } from '../../parts/panels.ts'
import { BUCKET, count } from '../../parts/promql.ts'
import { INSTANCE } from '../../parts/selectors.ts'
import { EXPORTERS } from './selectors.ts'

export const durable = stat({
  title: 'State',
  description:
    'Whether the last commit reached the disk. If not, the exporter stops counting and serves the last committed totals.',
  unit: 'none',
  empty: EMPTY.exporters,
  queries: [{ expr: `min(audit_exporter_state_durable{${EXPORTERS}})` }],
})
  .mappings([
    {
      type: 'value',
      options: {
        '0': { text: 'not durable', color: COLORS.bad },
        '1': { text: 'durable', color: COLORS.good },
      },
    } as never,
  ])
  .thresholds(thresholds({ color: COLORS.bad, value: null }, { color: COLORS.good, value: 1 }))

export const version = stat({
  title: 'Version',
  description: 'Versions of the running exporters.',
  unit: 'none',
  empty: EMPTY.exporters,
  queries: [{ expr: `count by (version) (audit_exporter_build_info{${EXPORTERS}})`, legend: '{{version}}' }],
}).textMode('name' as never)

export const commits = lines({
  title: 'Commit duration',
  description: 'Time to write the changes to the state: median and 99th percentile.',
  unit: 's',
  empty: EMPTY.exporters,
  min: 0,
  queries: [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (le) (rate(audit_exporter_commit_duration_seconds_bucket{${EXPORTERS}}[$__rate_interval])))`,
    legend: quantile === 0.5 ? 'median' : '99th percentile',
  })),
})

export const commitRate = lines({
  title: 'Commits per second',
  description: 'Commits of the state per second.',
  unit: 'short',
  empty: EMPTY.exporters,
  decimals: 1,
  min: 0,
  queries: [
    { expr: `sum(rate(audit_exporter_commits_total{${EXPORTERS}}[$__rate_interval]))`, legend: 'commits' },
  ],
}).colorScheme(fixedColor(COLORS.amount))

export const series = lines({
  title: 'Series',
  description: 'Time series in the state, including series that /metrics does not show yet or any more.',
  unit: 'locale',
  empty: EMPTY.exporters,
  decimals: 0,
  min: 0,
  queries: [{ expr: `sum(audit_exporter_series{${EXPORTERS}})`, legend: 'series' }],
}).colorScheme(fixedColor(COLORS.amount))

export const overflow = bars({
  title: 'Label overflow',
  description: 'Entries counted as _other because a label has reached its maximum number of values.',
  unit: 'locale',
  empty: EMPTY.exporters,
  decimals: 0,
  min: 0,
  queries: [
    {
      expr: count('labelOverflow', { by: ['label'], where: INSTANCE, window: BUCKET, zeros: true }),
      legend: '{{label}}',
      interval: '1m',
    },
  ],
})
