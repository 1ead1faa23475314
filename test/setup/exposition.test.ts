import { expect, test } from 'vitest'
import { parseExposition, seriesKey } from './exposition.ts'

test('samples are read by name and sorted labels', () => {
  const text =
    '# TYPE a counter\n\na_total{z="1",b="q\\"\\\\\\n,}"} 3 1700000000\nb NaN\nc{le="+Inf"} +Inf\nd -1.5e-3\n'
  expect([...parseExposition(text)]).toEqual([
    [seriesKey('a_total', { b: 'q"\\\n,}', z: '1' }), 3],
    ['b', Number.NaN],
    ['c{le="+Inf"}', Number.POSITIVE_INFINITY],
    ['d', -0.0015],
  ])
})

test.each([
  'a{b="c} 1\n',
  'a{b="c" d="e"} 1\n',
  'a 1 2 3\n',
  'a one\n',
  'a 1\na 2\n',
  'a{b="1",b="2"} 1\n',
  'a 1',
  '1a 1\n',
])('%j is refused', (text) => {
  expect(() => parseExposition(text)).toThrow(/newline|not a sample|labels|duplicate/u)
})
