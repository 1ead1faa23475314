import { expect, test } from 'vitest'
import { createCommits } from '../src/commits.ts'
import type { Events } from '../src/events.ts'
import { createManualClock } from './setup/exporter.ts'

function given({ isSeen, isMuch = false }: { isSeen: boolean; isMuch?: boolean }) {
  const clock = createManualClock(0)
  const commits = createCommits({
    commit: () => undefined,
    parts: [],
    events: {} as Events,
    clock,
    onCommit: () => undefined,
    mayWait: () => !isSeen,
    isMuch: () => isMuch,
  })
  return { clock, commits }
}

test('a commit that nobody sees yet waits for five seconds, and then for no longer', () => {
  const { clock, commits } = given({ isSeen: false })
  for (let second = 1; second < 5; second++) {
    clock.advance(1_000)
    expect(commits.due(), `after ${second} s`).toBe(false)
  }
  clock.advance(1_000)
  expect(commits.due()).toBe(true)
  commits.commit()
  expect(commits.due()).toBe(false)
})

test('a commit is due each second once somebody sees it', () => {
  const { clock, commits } = given({ isSeen: true })
  clock.advance(999)
  expect(commits.due()).toBe(false)
  clock.advance(1)
  expect(commits.due()).toBe(true)
})

test.each([true, false])('a commit is due at once if there is much to write (seen: %s)', (isSeen) => {
  expect(given({ isSeen, isMuch: true }).commits.due()).toBe(true)
})
