import fc from 'fast-check'
import { expect, test } from 'vitest'
import { truncateText } from '../../src/capture/truncate-text.ts'

test('a text up to the limit is kept as it is', () => {
  expect(truncateText('abcde', 5)).toBe('abcde')
})

test('the marker says how much of the text is missing, and no surrogate pair is cut', () => {
  const anyText = fc.string({ unit: 'binary', minLength: 20, maxLength: 200 })
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 19 }), (text, limit) => {
      const [, head = '', omitted, of, tail = ''] =
        /^([^]*)\n\[… (\d+) of (\d+) characters left out …\]\n([^]*)$/.exec(truncateText(text, limit)) ?? []
      expect(Number(of)).toBe(text.length)
      expect(head.length + Number(omitted) + tail.length).toBe(text.length)
      expect(head.length + tail.length).toBeLessThanOrEqual(limit + 1)
      expect(text.startsWith(head) && text.endsWith(tail)).toBe(true)
      expect([head.isWellFormed(), tail.isWellFormed()]).toEqual([true, true])
    }),
  )
})
