import pino from 'pino'
import { expect, test } from 'vitest'
import { createLogEvents } from '../src/log.ts'
import { createManualClock } from './setup/exporter.ts'

interface Logged {
  readonly event: string
  readonly path: string
  readonly lines?: number
}

/** The events of a log whose timers end when the test says so. */
function openLog() {
  const logged: Logged[] = []
  const log = pino({ base: null }, { write: (line: string) => void logged.push(JSON.parse(line) as Logged) })
  const clock = createManualClock(0)
  const timers: { dueMs: number; callback: () => void }[] = []
  const events = createLogEvents(
    log,
    () => undefined,
    clock,
    (ms, callback) => void timers.push({ dueMs: clock.monotonicMs() + ms, callback }),
  )
  return {
    events,
    logged,
    reject: (path: string, times = 1): void => {
      for (let i = 0; i < times; i++) {
        events.lineRejected({ path, line: i + 1, offset: 0, length: 1 }, 'schema', 'timestamp', 'is missing')
      }
    },
    pass(ms: number): void {
      clock.advance(ms)
      for (const timer of timers.filter(({ dueMs }) => dueMs <= clock.monotonicMs())) {
        timers.splice(timers.indexOf(timer), 1)
        timer.callback()
      }
    },
    of: (event: string): Logged[] => logged.filter((line) => line.event === event),
  }
}

test('five warnings per file and minute are logged; their number is logged when the minute is over', () => {
  const log = openLog()
  log.reject('/a', 12)
  expect(log.of('line_rejected')).toHaveLength(5)
  expect(log.of('lines_suppressed')).toEqual([expect.not.objectContaining({ lines: expect.anything() })])
  log.pass(59_999)
  expect(log.of('lines_suppressed')).toHaveLength(1)
  // No further line comes.
  log.pass(1)
  expect(log.of('lines_suppressed')[1]).toMatchObject({ path: '/a', lines: 7 })
  log.reject('/a')
  expect(log.of('line_rejected')).toHaveLength(6)
})

test('the limit of one file does not concern another one', () => {
  const log = openLog()
  log.reject('/a', 12)
  log.reject('/b', 5)
  expect(log.of('line_rejected').filter(({ path }) => path === '/b')).toHaveLength(5)
  log.pass(60_000)
  expect(log.of('lines_suppressed').map(({ path }) => path)).toEqual(['/a', '/a'])
})

test('warnings that were suppressed before the end are summarised at the end, once', () => {
  const log = openLog()
  log.reject('/a', 8)
  log.events.close()
  expect(log.of('lines_suppressed')[1]).toMatchObject({ path: '/a', lines: 3 })
  log.pass(60_000)
  expect(log.of('lines_suppressed')).toHaveLength(2)
})
