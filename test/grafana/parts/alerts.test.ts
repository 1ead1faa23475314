import { expect, test } from 'vitest'
import { dashboards } from '../../../grafana/dashboards.ts'
import { BOARD_OF, firingAlerts, firingCount } from '../../../grafana/parts/alerts.ts'
import { alertGroups } from '../../../prometheus/alerts.ts'
import { DEFAULT_OPTIONS } from '../../../prometheus/options.ts'
import { expectSamples, type Series } from '../../setup/promtool.ts'

const alert = (name: string, severity: string, state = 'firing'): Series[] => {
  const labels = `alertname="${name}",severity="${severity}",audit="builds"`
  return [
    { series: `ALERTS{${labels},alertstate="${state}"}`, values: '1x20' },
    { series: `ALERTS_FOR_STATE{${labels}}`, values: '1000x20' },
  ]
}
const WATCHDOG = alert('Watchdog', 'none')
const FIRING = [...WATCHDOG, ...alert('Expensive', 'critical'), ...alert('Slow', 'warning')]
/** A pending alert, and one of another project. */
const OTHERS: Series[] = [
  ...alert('Soon', 'warning', 'pending'),
  { series: 'ALERTS{alertname="Disk",severity="critical",alertstate="firing"}', values: '1x20' },
  { series: 'ALERTS_FOR_STATE{alertname="Disk",severity="critical"}', values: '1000x20' },
]
const exprs = (panel: { build(): { targets?: unknown[] } }): string[] =>
  (panel.build().targets as { expr: string }[]).map(({ expr }) => expr)
const expectValues = (input: readonly Series[], expr: string, samples: Readonly<Record<string, number>>) =>
  expectSamples('2', { input, expr, at: '1m', samples })

test('the number of firing alerts excludes the Watchdog, pending alerts, and alerts of other projects', async () => {
  const [expr] = exprs(firingCount()) as [string]
  await expectValues([...FIRING, ...OTHERS], expr, { '{}': 2 })
  await expectValues([...WATCHDOG, ...OTHERS], expr, { '{}': 0 })
})

test('without a firing Watchdog there is no number', async () => {
  const [expr] = exprs(firingCount()) as [string]
  await expectValues(OTHERS, expr, {})
})

const NOWHERE = 'docs/runbook.md'
const rowOf = (name: string, is: string, board: string): string =>
  `{alertname="${name}",severity="${is}",audit="builds",board="${board}",runbook="${name}"}`

test('firing alerts are ranked by severity, and each is as old as its condition', async () => {
  const [age, severity] = exprs(firingAlerts(NOWHERE)) as [string, string]
  const firing = [
    ...WATCHDOG,
    ...alert('AuditReworkCostSpike', 'critical'),
    ...alert('AuditErrorTypeSurge', 'warning'),
  ].map(({ series, values }) => ({ series, values: values.replace('1000x', '15x') }))
  const names = [
    rowOf('AuditReworkCostSpike', 'critical', 'prompt-refinement'),
    rowOf('AuditErrorTypeSurge', 'warning', 'constraint-effectiveness'),
  ]
  const values = (numbers: readonly number[]) =>
    Object.fromEntries(names.map((name, index) => [name, numbers[index]!]))
  await expectValues([...firing, ...OTHERS], age, values([45, 45]))
  await expectValues([...firing, ...OTHERS], severity, values([3, 2]))
})

test('nothing but a firing Watchdog gives no row, and a missing Watchdog is the first row', async () => {
  const [age, severity] = exprs(firingAlerts(NOWHERE)) as [string, string]
  await expectValues([...WATCHDOG, ...OTHERS], age, {})
  const missing =
    '{alertname="Watchdog is missing: rules are not evaluated",alertstate="firing",severity="critical",board="exporter",runbook="Watchdog"}'
  await expectValues(OTHERS, age, { [missing]: 0 })
  await expectValues(OTHERS, severity, { [missing]: 4 })
})

const boardFiles = dashboards().map(({ uid }) => uid)
test('every alert leads to a dashboard that exists', () => {
  const alerts = alertGroups(DEFAULT_OPTIONS).flatMap(({ rules }) => rules.map(({ alert }) => alert))
  for (const [name, board] of Object.entries(BOARD_OF)) {
    expect(alerts).toContain(name)
    expect(boardFiles).toContain(`audit-${board}`)
  }
})

test('firing alerts link to the runbook where it is at a URL', () => {
  const links = (runbook: string): string[] =>
    [...JSON.stringify(firingAlerts(runbook).build()).matchAll(/"url":"([^"]+)"/g)].map(([, url]) => url!)
  const boards = links(NOWHERE)
  expect(boards).toContain(
    '/d/audit-${__value.raw}?${__url_time_range}&${job:queryparam}&${datasource:queryparam}',
  )
  expect(boards.every((url) => url.startsWith('/d/audit-'))).toBe(true)
  // Cut at the quotation mark of the column's name.
  expect(links('https://git.example.org/runbook.md')).toEqual([
    'https://git.example.org/runbook.md#${__data.fields[\\',
    ...boards,
  ])
})
