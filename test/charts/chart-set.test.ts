import { expect, test } from 'vitest'
import { drawCharts, type ChartData } from '../../src/charts/chart-set.ts'

const EMPTY: ChartData = {
  fixCost: [],
  promptShare: [],
  revisions: [],
  promptVersions: [],
  moments: [],
  volatility: 'by day',
}

test('without data there is no chart', () => {
  expect(Object.values(drawCharts(EMPTY)).filter((svg) => svg !== undefined)).toEqual([])
})

test('a chart escapes names, takes its colours from the page and has no inline style', () => {
  const { fixCost } = drawCharts({ ...EMPTY, fixCost: [{ label: '<b>"x"', mean: 1_200_000 }] })
  expect(fixCost).toContain('&lt;b&gt;')
  expect(fixCost).not.toMatch(/<b>| style=|<style|#01020/u)
  expect(fixCost).toContain('var(--accent)')
})

test('of many revisions the latest twelve are drawn, of many prompt versions the first twelve', () => {
  const rows = Array.from({ length: 15 }, (_, i) => ({
    label: `row${String(i).padStart(2, '0')}`,
    rate: { value: 0.5, low: 0.4, high: 0.6 },
  }))
  const { revisions, promptVersions } = drawCharts({ ...EMPTY, revisions: rows, promptVersions: rows })
  const labels = (svg: string | undefined) => [...(svg ?? '').matchAll(/row\d\d/gu)].map(([label]) => label)
  expect(labels(revisions)).toEqual(rows.slice(3).map(({ label }) => label))
  expect(labels(promptVersions)).toEqual(rows.slice(0, 12).map(({ label }) => label))
})

test('a row without a rate is not drawn', () => {
  expect(drawCharts({ ...EMPTY, revisions: [{ label: 'v1', rate: null }] }).revisions).toBeUndefined()
})
