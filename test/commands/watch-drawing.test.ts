import { expect, test } from 'vitest'
import { createPageDrawing } from '../../src/commands/watch-drawing.ts'
import { busyStatus, NO_BUILDS } from '../serve/status-fixture.ts'

test('the charts of the page show the number of builds behind each rate', async () => {
  const { charts } = await createPageDrawing(NO_BUILDS)(busyStatus())
  expect(charts.revisions).toContain('v2 9f86d081884c, n = 300')
  expect(charts.promptVersions).toContain('implement-1, n = 800')
})

test('a long prompt version loses its middle, not the end by which it differs, nor its number of builds', async () => {
  const status = busyStatus()
  const implement = status.audits.implement.map((row) => ({ ...row, promptVersion: `${'x'.repeat(60)}-v21` }))
  const { charts } = await createPageDrawing(NO_BUILDS)({
    ...status,
    audits: { ...status.audits, implement },
  })
  expect(charts.promptVersions).toMatch(/>x+…x+-v21, n = 800</)
})

test('charts are drawn again only when the totals of the audits change', async () => {
  const draw = createPageDrawing(NO_BUILDS)
  const first = await draw(busyStatus())
  expect(await draw(busyStatus({ entries: 9_999 }))).toBe(first)
  const { audits } = busyStatus()
  expect(await draw(busyStatus({ audits: { ...audits, fixes: [] } }))).not.toBe(first)
})
