import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { escapeHtml } from '../render/html.ts'

use([BarChart, CustomChart, LineChart, ScatterChart, GridComponent, LegendComponent, SVGRenderer])

/** Placeholder colours. `clean` replaces them by the page's CSS variables, which follow light and dark. */
export const INK = {
  accent: '#010203',
  second: '#010204',
  good: '#010205',
  bad: '#010206',
  text: '#010207',
  soft: '#010208',
  line: '#010209',
  rest: '#01020a',
} as const

/** That of a card on a phone or in one of two columns, so that its text is as large as that of the page. */
const CHART_WIDTH = 440

/**
 * Draws a chart on the server as SVG that takes its colours from the page's CSS variables. It has no inline styles:
 * the page's security policy forbids them. `title` is the accessible name.
 */
export function draw(title: string, height: number, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: CHART_WIDTH, height })
  try {
    chart.setOption({ animation: false, textStyle: { color: INK.text, fontFamily: 'sans-serif' }, ...option })
    return clean(chart.renderToSVGString(), title)
  } finally {
    chart.dispose()
  }
}

function clean(svg: string, title: string): string {
  let out = svg
    .replace(/^<svg width="(\d+)" height="(\d+)"[^>]*>/u, (_, width: string, height: string) => {
      const name = escapeHtml(title)
      return `<svg class="chart" role="img" aria-label="${name}" viewBox="0 0 ${width} ${height}" xmlns="http://www.w3.org/2000/svg"><title>${name}</title>`
    })
    .replaceAll(/<style[\s\S]*?<\/style>/gu, '')
    // Class names that count up with every chart, and hooks for scripts.
    .replaceAll(/ (?:class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="[^"]*")/gu, '')
    .replaceAll(/ style="([^"]*)"/gu, (_, style: string) => attributes(style))
    .replace(/<rect width="\d+" height="\d+" x="0" y="0" fill="none"><\/rect>/u, '')
  for (const [name, colour] of Object.entries(INK)) out = out.replaceAll(colour, `var(--${name})`)
  return out
}

/** `font-size:12px;…` as attributes of the same names, which SVG knows. */
const attributes = (style: string): string =>
  style
    .split(';')
    .map((part) => part.split(':').map((half) => half.trim()))
    .filter(([name, value]) => /^font-(size|weight)$/u.test(name ?? '') && value !== undefined)
    .map(([name, value]) => ` ${name}="${value}"`)
    .join('')
