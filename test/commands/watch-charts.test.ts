import { expect, test } from 'vitest'
import { createPageCharts } from '../../src/commands/watch-charts.ts'
import { busyStatus } from '../serve/status-fixture.ts'

test('the charts of the page show the number of builds behind each rate', async () => {
  const { revisions, promptVersions } = await createPageCharts()(busyStatus())
  expect(revisions).toContain('v2 9f86d081884c, n = 300')
  expect(promptVersions).toContain('implement-1, n = 800')
})

test('a long prompt version is cut, its number of builds is not', async () => {
  const status = busyStatus()
  const implement = status.audits.implement.map((row) => ({ ...row, promptVersion: 'x'.repeat(64) }))
  const { promptVersions } = await createPageCharts()({ ...status, audits: { ...status.audits, implement } })
  expect(promptVersions).toContain(`${'x'.repeat(21)}…, n = 800`)
})

test('charts are drawn again only when the totals of the audits change', async () => {
  const charts = createPageCharts()
  const first = await charts(busyStatus())
  expect(await charts(busyStatus({ entries: 9_999 }))).toBe(first)
  const { audits } = busyStatus()
  expect(await charts(busyStatus({ audits: { ...audits, fixes: [] } }))).not.toBe(first)
})
