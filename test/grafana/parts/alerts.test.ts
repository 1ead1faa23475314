import { test } from 'vitest'
import { firingAlerts, firingCount } from '../../../grafana/parts/alerts.ts'
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

test('firing alerts are ranked by severity', async () => {
  const [since, severity] = exprs(firingAlerts()) as [string, string]
  const labels = (name: string, is: string): string => `{alertname="${name}",severity="${is}",audit="builds"}`
  const names = [labels('Expensive', 'critical'), labels('Slow', 'warning'), labels('Watchdog', 'none')]
  const values = (numbers: readonly number[]) =>
    Object.fromEntries(names.map((name, index) => [name, numbers[index]!]))
  await expectValues([...FIRING, ...OTHERS], since, values([1e6, 1e6, 1e6]))
  await expectValues([...FIRING, ...OTHERS], severity, values([3, 2, 1]))
})
