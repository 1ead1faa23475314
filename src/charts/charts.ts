import type { CustomSeriesRenderItem } from 'echarts/types/dist/shared'
import { compact, cutInside } from '../render/format.ts'
import { draw, INK } from './draw.ts'

/** Without decimals, for the scale. */
const percent = (share: number): string => `${Math.round(share * 100)} %`

export interface Bar {
  readonly label: string
  readonly value: number
  /** Ends of the interval, where there is one. */
  readonly low?: number | undefined
  readonly high?: number | undefined
}

/** A row has its name above its bar, so that the chart needs no more width than a phone has. */
const ROW = 40
/** Charts are cut to this many rows. */
export const MAX_ROWS = 12

const axisLabel = { color: INK.soft, fontSize: 12 }

/** Room for the scale below, and for half of its first and last number beside. */
const gridFor = (top = 8): object => ({ left: 14, right: 24, top, bottom: 28 })
/** Distance from the middle of a bar up to its name. */
const NAME_ABOVE = 8
const names = (rows: readonly Bar[]) => ({
  type: 'category',
  inverse: true,
  data: rows.map(({ label }) => cutInside(label, MAX_LABEL)),
  axisLabel: {
    ...axisLabel,
    color: INK.text,
    inside: true,
    margin: 0,
    verticalAlign: 'bottom',
    padding: [0, 0, NAME_ABOVE, 0],
  },
  z: 10,
  axisTick: { show: false },
  axisLine: { lineStyle: { color: INK.line } },
})
const scale = (form: (value: number) => string, more: object = {}) => ({
  type: 'value',
  min: 0,
  splitNumber: 4,
  axisLabel: { ...axisLabel, formatter: form },
  splitLine: { lineStyle: { color: INK.line } },
  ...more,
})

/** The server cannot measure text: so many characters fit for certain. */
const MAX_LABEL = 48

/** A line from low to high with end strokes, across each row that has an interval. */
const whisker: CustomSeriesRenderItem = (_, api) => {
  const row = api.value(0) as number
  const [from = 0, y = 0] = api.coord([api.value(1), row])
  const [to = 0] = api.coord([api.value(2), row])
  const style = { stroke: INK.text, lineWidth: 1.5 }
  const line = (x1: number, y1: number, x2: number, y2: number) => ({
    type: 'line' as const,
    shape: { x1, y1, x2, y2 },
    style,
  })
  return {
    type: 'group',
    children: [line(from, y, to, y), line(from, y - 4, from, y + 4), line(to, y - 4, to, y + 4)],
  }
}

const whiskers = (rows: readonly Bar[]) => ({
  type: 'custom',
  renderItem: whisker,
  z: 5,
  encode: { x: [1, 2], y: 0 },
  data: rows.flatMap(({ low, high }, i) => (low === undefined || high === undefined ? [] : [[i, low, high]])),
})

/** Amounts as bars, with their intervals. */
export function amountChart(title: string, rows: readonly Bar[]): string {
  return draw(title, rows.length * ROW + 44, {
    grid: gridFor(),
    xAxis: scale(compact),
    yAxis: names(rows),
    series: [
      {
        type: 'bar',
        barWidth: 12,
        itemStyle: { color: INK.accent },
        data: rows.map(({ value }) => value),
      },
      whiskers(rows),
    ],
  })
}

/** Shares as points with their intervals, from 0 to 100 %. */
export function rateChart(title: string, rows: readonly Bar[]): string {
  return draw(title, rows.length * ROW + 44, {
    grid: gridFor(),
    xAxis: scale(percent, { max: 1, interval: 0.25 }),
    yAxis: names(rows),
    series: [
      {
        type: 'scatter',
        symbolSize: 11,
        z: 6,
        itemStyle: { color: INK.accent },
        data: rows.map(({ value }, i) => [value, i]),
      },
      whiskers(rows),
    ],
  })
}

export interface Split {
  readonly label: string
  readonly values: readonly number[]
}

/** Up to three parts of a whole, each row filled to 100 %. The values of a row are in the order of `parts`. */
export function splitChart(title: string, parts: readonly string[], rows: readonly Split[]): string {
  const shareOf = ({ values }: Split, part: number): number =>
    (values[part] ?? 0) / (values.reduce((sum, value) => sum + value, 0) || 1)
  const bars = rows.map(({ label, values: [first = 0] }) => ({ label, value: first }))
  return draw(title, rows.length * ROW + 76, {
    grid: gridFor(36),
    legend: {
      itemGap: 24,
      top: 0,
      left: 0,
      textStyle: { color: INK.text },
      icon: 'rect',
      selectedMode: false,
    },
    xAxis: scale(percent, { max: 1, interval: 0.25 }),
    yAxis: names(bars),
    series: parts.map((name, part) => ({
      name,
      type: 'bar',
      stack: 'all',
      barWidth: 12,
      itemStyle: { color: [INK.accent, INK.second, INK.rest][part] },
      data: rows.map((row) => shareOf(row, part)),
    })),
  })
}

export interface Moment {
  /** A day or a revision. */
  readonly label: string
  readonly rate: Bar | null
  readonly tokens: number
  /** GEMINI.md changed here. */
  readonly changed: boolean
}

/** Share of passes above, tokens below; moments at which GEMINI.md changed are marked. */
export function volatilityChart(title: string, moments: readonly Moment[]): string {
  const labels = moments.map(({ label }) => label)
  const xAxis = (gridIndex: number, show: boolean) => ({
    type: 'category',
    gridIndex,
    data: labels,
    axisLabel: { ...axisLabel, show, hideOverlap: true },
    axisTick: { show: false },
    axisLine: { lineStyle: { color: INK.line } },
  })
  return draw(title, 320, {
    grid: [
      { left: 46, right: 16, top: 30, height: 110 },
      { left: 46, right: 16, top: 180, height: 100 },
    ],
    legend: {
      itemGap: 24,
      top: 0,
      left: 0,
      textStyle: { color: INK.text },
      selectedMode: false,
      data: [
        'validations passed',
        'tokens',
        ...(moments.some(({ changed }) => changed) ? ['GEMINI.md changed'] : []),
      ],
    },
    xAxis: [xAxis(0, false), xAxis(1, true)],
    yAxis: [
      { ...scale(percent, { max: 1, interval: 0.5 }), gridIndex: 0 },
      { ...scale(compact, { splitNumber: 2 }), gridIndex: 1 },
    ],
    series: [
      {
        name: 'validations passed',
        type: 'line',
        symbolSize: 6,
        connectNulls: true,
        lineStyle: { color: INK.good, width: 2 },
        itemStyle: { color: INK.good },
        data: moments.map(({ rate }) => rate?.value ?? null),
      },
      {
        name: 'GEMINI.md changed',
        type: 'scatter',
        symbol: 'diamond',
        symbolSize: 12,
        itemStyle: { color: INK.bad },
        data: moments.map(({ changed }, i) => (changed ? [i, 0] : [i, null])),
      },
      {
        name: 'tokens',
        type: 'bar',
        xAxisIndex: 1,
        yAxisIndex: 1,
        itemStyle: { color: INK.accent },
        data: moments.map(({ tokens }) => tokens),
      },
    ],
  })
}
