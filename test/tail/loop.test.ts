import { expect, onTestFinished, test, vi } from 'vitest'
import { noHints } from '../../src/tail/hints.ts'
import { createWaker, runLoop, type LoopDeps } from '../../src/tail/loop.ts'
import { createReadRequests } from '../../src/tail/read-requests.ts'
import type { Extent } from '../../src/tail/rotation.ts'
import { createManualClock } from '../setup/exporter.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const OPTIONS = { pollMs: SECOND, scanMs: 10 * SECOND, renewHintsMs: 15 * MINUTE }

type Step = 'look' | 'poll' | 'scan' | 'renew' | 'drain' | 'round'

interface Costs {
  /** How long a scan takes. */
  readonly scanMs?: number
  /** After how long a scan may be paused, where that is more than nothing. */
  readonly scanStepMs?: number
  /** How long one slice takes, where there is always another one to read. */
  readonly endlessSliceMs?: number
}

const restingTail: LoopDeps['tail'] = {
  scan: () => Promise.resolve(true),
  look: () => Promise.resolve(),
  poll: () => Promise.resolve(),
  drain: () => Promise.resolve(true),
  foundUpToMs: () => 0,
  hasTransientFailures: () => false,
  close: () => Promise.resolve(),
  status: () => [],
  roots: () => [],
}

/** Runs the loop for so long, by a clock that only waiting and working move; the moments of each of its steps. */
async function run(
  forMs: number,
  costs: Costs = {},
  hintAtMs?: number,
  rescanAtMs = Number.POSITIVE_INFINITY,
  ...readyAtMs: number[]
): Promise<Record<Step, number[]> & { extents: (Extent | undefined)[] }> {
  const clock = createManualClock(0)
  let rescanDueMs = rescanAtMs
  const steps: Record<Step, number[]> = { look: [], poll: [], scan: [], renew: [], drain: [], round: [] }
  const end = new AbortController()
  const hinted: string[] = []
  let isHinted = hintAtMs === undefined
  const spend = (ms: number): Promise<void> => {
    const untilMs = clock.monotonicMs() + ms
    if (!isHinted && hintAtMs !== undefined && untilMs >= hintAtMs) {
      isHinted = true
      clock.advance(hintAtMs - clock.monotonicMs())
      hinted.push('/builds/1/audit_trace.jsonl')
    } else clock.advance(ms)
    if (clock.monotonicMs() >= forMs) end.abort()
    return Promise.resolve()
  }
  const note = (step: Step, ms = 0): Promise<void> => {
    steps[step].push(clock.monotonicMs())
    return spend(ms)
  }
  const extents: (Extent | undefined)[] = []
  let scanLeftMs = 0
  async function scan(stop = () => false, extent?: Extent): Promise<boolean> {
    if (scanLeftMs <= 0) {
      extents.push(extent)
      steps.scan.push(clock.monotonicMs())
      scanLeftMs = costs.scanMs ?? 0
    }
    const stepMs = costs.scanStepMs ?? Infinity
    while (scanLeftMs > 0) {
      const spentMs = Math.min(stepMs, scanLeftMs)
      scanLeftMs -= spentMs
      await spend(spentMs)
      if (scanLeftMs > 0 && stop()) return false
    }
    return true
  }

  const deps: LoopDeps = {
    clock,
    signal: end.signal,
    tail: {
      ...restingTail,
      scan,
      foundUpToMs: () => clock.wallMs(),
      look: () => note('look'),
      poll: () => note('poll'),
      async drain(stop = () => false) {
        await note('drain')
        if (costs.endlessSliceMs === undefined) return true
        while (!stop()) await spend(costs.endlessSliceMs)
        return false
      },
    },
    waker: { wait: spend, rest: spend, wake: () => undefined, hurry: () => undefined },
    readRequests: { any: () => false, take: () => () => undefined },
    hints: {
      ...noHints,
      take: () => hinted.splice(0),
      any: () => hinted.length > 0,
      takeReady: () =>
        readyAtMs.length > 0 &&
        clock.monotonicMs() >= (readyAtMs[0] as number) &&
        readyAtMs.shift() !== undefined,
      renew: () => void steps.renew.push(clock.monotonicMs()),
    },
    rescanRequested() {
      const requested = clock.monotonicMs() >= rescanDueMs
      if (requested) rescanDueMs = Number.POSITIVE_INFINITY
      return requested
    },
    afterRound: () => void note('round'),
  }
  await runLoop(deps, OPTIONS)
  return { ...steps, extents }
}

const gaps = (moments: readonly number[]): number[] =>
  moments.slice(1).map((moment, i) => moment - (moments[i] ?? 0))

test('open files are polled every second, everything is scanned every ten', async () => {
  const { poll, scan } = await run(2 * MINUTE)
  expect(Math.max(...gaps(poll))).toBeLessThan(1.2 * SECOND)
  expect(gaps(scan).every((gap) => gap >= 10 * SECOND && gap < 11.2 * SECOND)).toBe(true)
  expect(scan.length).toBeGreaterThan(9)
})

test('what has grown cold loses its watchers every quarter of an hour', async () => {
  const { renew } = await run(61 * MINUTE)
  expect(renew).toHaveLength(4)
})

test('a hint is followed at once, long before the next poll', async () => {
  const { look } = await run(5 * SECOND, {}, 2_345)
  expect(look).toHaveLength(1)
  expect(look[0]).toBeLessThan(2_345 + 51)
})

test('a requested rescan scans at once and renews the watchers, long before either is due', async () => {
  const { scan, renew } = await run(9 * SECOND, {}, undefined, 3_000)
  expect(scan).toHaveLength(1)
  expect(scan[0]).toBeLessThan(3_000 + SECOND)
  expect(renew).toHaveLength(1)
})

test('a scan by the timer looks at what is due, a requested one at everything, and so does one after watchers came into place', async () => {
  const { extents } = await run(35 * SECOND, {}, undefined, 3_000, 12_000)
  expect(extents).toEqual(['all', 'all', 'due', 'due'])
})

test('a rescan requested during a scan scans once more after it', async () => {
  const { scan } = await run(15 * SECOND, { scanMs: SECOND, scanStepMs: 10 }, undefined, 10_500)
  expect(scan).toHaveLength(2)
})

test('files that never end delay neither polls nor scans nor commits', async () => {
  const { poll, scan, round } = await run(2 * MINUTE, { endlessSliceMs: 100 })
  expect(Math.max(...gaps(poll))).toBeLessThan(1.2 * SECOND)
  expect(Math.max(...gaps(round))).toBeLessThan(1.2 * SECOND)
  expect(scan.length).toBeGreaterThan(9)
})

test('a scan of a huge tree pauses for what is known to have grown, and goes on', async () => {
  const { poll, scan, drain } = await run(3 * MINUTE, { scanMs: MINUTE, scanStepMs: 10 })
  expect(scan).toHaveLength(1)
  expect(Math.max(...gaps(poll))).toBeLessThan(1.3 * SECOND)
  expect(Math.max(...gaps(drain))).toBeLessThan(1.3 * SECOND)
})

test('the end does not wait for the end of a scan', async () => {
  const { drain } = await run(15 * SECOND, { scanMs: 10 * MINUTE, scanStepMs: 10 })
  expect(drain.at(-1)).toBeLessThan(15 * SECOND + 250)
})

test('scans of a huge tree take at most a tenth of the time, those of a large one keep the interval', async () => {
  const huge = await run(60 * MINUTE, { scanMs: 6 * SECOND })
  expect(huge.scan.length).toBeGreaterThan(5)
  expect(Math.min(...gaps(huge.scan))).toBeGreaterThanOrEqual(10 * 6 * SECOND)
  const large = await run(10 * MINUTE, { scanMs: 2 * SECOND })
  expect(Math.max(...gaps(large.scan))).toBeLessThan(13.2 * SECOND)
})

test('what happened while watchers were set up is scanned for as soon as they are in place', async () => {
  const { scan } = await run(15 * SECOND, {}, undefined, Number.POSITIVE_INFINITY, 0, 12 * SECOND)
  expect(scan[0]).toBe(0)
  expect(scan.filter((at) => at >= 12 * SECOND && at < 13.1 * SECOND)).toHaveLength(1)
})

/** Runs the loop by timers that stand still: only a request gets it out of a rest or a wait. */
function startStandingLoop(drain: LoopDeps['tail']['drain'] = () => Promise.resolve(true)) {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const end = new AbortController()
  const waker = createWaker()
  const readRequests = createReadRequests(() => waker.hurry(), end.signal)
  const hinted: string[] = []
  const looked: string[] = []
  const running = runLoop(
    {
      clock: createManualClock(0),
      signal: end.signal,
      waker,
      readRequests,
      hints: { ...noHints, take: () => hinted.splice(0), any: () => hinted.length > 0 },
      tail: { ...restingTail, look: (path) => Promise.resolve(void looked.push(path)), drain },
      afterRound: () => undefined,
    },
    OPTIONS,
  )
  return { end, running, readRequests, hinted, looked }
}

/** Whether a promise resolves without any timer. */
async function resolvesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let isResolved = false
  void promise.then(() => (isResolved = true))
  await vi.advanceTimersByTimeAsync(0)
  return isResolved
}

test('who asks for what was appended right before gets it, also while the loop rests', async () => {
  const { end, running, readRequests, hinted, looked } = startStandingLoop()
  for (const path of ['/a', '/b', '/c']) {
    hinted.push(path)
    expect(await resolvesAtOnce(readRequests.ask(MINUTE))).toBe(true)
    expect(looked.at(-1)).toBe(path)
  }
  end.abort()
  await vi.runAllTimersAsync()
  await running
})

test('who asks while a file is read waits for the round after it, and no longer than asked for', async () => {
  const read = Promise.withResolvers<boolean>()
  const { end, running, readRequests, hinted, looked } = startStandingLoop(() => read.promise)
  const impatient = readRequests.ask(20)
  hinted.push('/a')
  await vi.advanceTimersByTimeAsync(19)
  expect(await resolvesAtOnce(impatient)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await resolvesAtOnce(impatient)).toBe(true)
  expect(looked).toEqual([])
  const patient = readRequests.ask(MINUTE)
  read.resolve(true)
  expect(await resolvesAtOnce(patient)).toBe(true)
  expect(looked).toEqual(['/a'])
  end.abort()
  await vi.runAllTimersAsync()
  await running
})

test('nobody waits for a loop that has been stopped', async () => {
  const { end, running, readRequests } = startStandingLoop()
  end.abort()
  expect(await resolvesAtOnce(readRequests.ask(MINUTE))).toBe(true)
  await vi.runAllTimersAsync()
  await running
})
