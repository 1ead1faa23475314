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

test('a table has a caption, headings with scope, and numbers on the right', () => {
  const { markup } = table('Steps', ['Step', '#Tokens', ''], [['<fix>', '12', html`<svg></svg>`]])
  expect(markup.replaceAll(/\s+/gu, ' ')).toBe(
    '<table> <caption> Steps </caption> <thead> <tr> <th scope="col" class="">Step</th>' +
      '<th scope="col" class="n">Tokens</th><td></td> </tr> </thead> <tbody> <tr> ' +
      '<th scope="row">&lt;fix&gt;</th><td class="n">12</td><td class=""><svg></svg></td> </tr> </tbody> </table>',
  )
})

test('a table without rows becomes a line', () => {
  expect(table('Steps', ['Step'], []).markup).toBe('<p class="soft">Steps: no data yet</p>')
  expect(table('Steps', ['Step'], [], 'none').markup).toBe('<p class="soft">Steps: none</p>')
})
