import { expect, test } from 'vitest'
import { escapeHtml, html } from '../../src/render/html.ts'
import { table } from '../../src/render/table.ts'

test('text is escaped, markup of the tag itself is not', () => {
  const inner = html`<b>${'<i>'}</b>`
  expect(html`<p title="${'"&\''}">${inner}${[inner, inner]}${7}</p>`.markup).toBe(
    '<p title="&quot;&amp;&#39;"><b>&lt;i&gt;</b><b>&lt;i&gt;</b><b>&lt;i&gt;</b>7</p>',
  )
})

test('control and bidirectional characters are made visible', () => {
  expect(escapeHtml('a\u202Eb\u0000c\u200Bd\uFEFF')).toBe('a\uFFFDb\uFFFDc\uFFFDd\uFFFD')
})

test('a table has a caption, headings with scope, numbers on the right, and roles that stay where it is shown as a list', () => {
  const { markup } = table('Steps', ['Step', '#Tokens', ''], [['<fix>', '12', html`<svg></svg>`]])
  expect(markup.replaceAll(/\s+/gu, ' ')).toBe(
    '<table role="table" class=""> <caption> Steps </caption> <thead role="rowgroup"> <tr role="row"> ' +
      '<th role="columnheader" scope="col" class="">Step</th>' +
      '<th role="columnheader" scope="col" class="n">Tokens</th><td role="cell"></td> </tr> </thead> ' +
      '<tbody role="rowgroup"> <tr role="row"> <th role="rowheader" scope="row">&lt;fix&gt;</th>' +
      '<td role="cell" class="n" data-name="Tokens">12</td><td role="cell" class="" data-name=""><svg></svg></td> ' +
      '</tr> </tbody> </table>',
  )
})

test('a table without rows becomes a line', () => {
  expect(table('Steps', ['Step'], []).markup).toBe('<p class="soft">Steps: no data yet</p>')
  expect(table('Steps', ['Step'], [], 'none').markup).toBe('<p class="soft">Steps: none</p>')
})
