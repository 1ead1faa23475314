import { expect, test } from 'vitest'
import { createProgress } from '../../src/history/progress.ts'

function progressOn(terminal: boolean) {
  const lines: string[] = []
  let nowMs = 0
  const show = (line: string): void => void lines.push(line)
  const progress = createProgress({
    monotonicMs: () => nowMs,
    complain: terminal ? expect.unreachable : show,
    rewrite: terminal ? show : undefined,
  })
  return { progress, lines, advance: (ms: number) => (nowMs += ms) }
}

test('a log gets rate and remaining time every half minute, and nothing of a short run', () => {
  const { progress, lines, advance } = progressOn(false)
  progress.update('reading', 0, 100e6, 'B')
  advance(20_000)
  progress.update('reading', 20e6, 100e6, 'B')
  expect(lines).toEqual([])
  advance(20_000)
  progress.update('reading', 40e6, 100e6, 'B')
  advance(10_000)
  progress.update('reading', 50e6, 100e6, 'B')
  progress.end()
  expect(lines).toEqual(['reading: 40 %, 1.0 MB/s, 60 s left'])
})

test('a terminal gets a bar, five times per second', () => {
  const { progress, lines, advance } = progressOn(true)
  progress.update('attributing', 0, 1_000, 'entries')
  for (let n = 1; n <= 10; n++) {
    advance(100)
    progress.update('attributing', n * 100, 1_000, 'entries')
  }
  progress.end()
  expect(lines).toHaveLength(7)
  expect(lines[5]).toMatch(/^attributing █{24} 100 % {2}1,000 entries\/s, 0 s left$/u)
  expect(lines[6]).toBe('')
})
