import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { type SimulationClock, systemClock } from '../../src/simulate/clock.ts'
import {
  CONTEXT_REVISIONS,
  DEFAULT_PROFILE,
  LONGEST_GAP_MS,
  LONGEST_STEP_MS,
} from '../../src/simulate/profile.ts'
import { TRACE_FILE, writeBuilds, type WriterOptions } from '../../src/simulate/writer.ts'
import { outcomeOf } from './outcome.ts'

const START = Date.UTC(2026, 10, 1, 12)

/** A clock that jumps to each wake-up; right for one pipeline at a time. */
function jumpingClock(onSleep: (ms: number) => void = () => {}): SimulationClock {
  let now = START
  return {
    now: () => now,
    sleep: async (ms) => {
      now += ms
      onSleep(ms)
    },
  }
}

describe('the writer of simulated builds', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'writer-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const options = (changes: Partial<WriterOptions> = {}): WriterOptions => ({
    directory,
    builds: 5,
    parallel: 1,
    speed: 60,
    seed: 'writer',
    tornWriteShare: 0,
    keep: Infinity,
    contexts: CONTEXT_REVISIONS,
    buildsPerContext: 2,
    profile: DEFAULT_PROFILE,
    ...changes,
  })
  const never = new AbortController().signal
  const write = (changes: Partial<WriterOptions>, clock = jumpingClock()) =>
    writeBuilds(options(changes), { clock, signal: never })

  /** The builds' directories by their number, with the text of their traces. */
  const traces = async (root = directory): Promise<{ name: string; text: string }[]> => {
    const names = (await readdir(root)).sort((a, b) => numberOf(a) - numberOf(b))
    return Promise.all(
      names.map(async (name) => ({ name, text: await readFile(join(root, name, TRACE_FILE), 'utf8') })),
    )
  }
  const numberOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1])
  const entriesOf = (text: string): OptimizationLogEntry[] =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as OptimizationLogEntry)

  it('gives each build its own directory and run id, and reports what is in the files', async () => {
    const ended: string[] = []
    const summary = await writeBuilds(options({ builds: 60, parallel: 4, speed: 1e6, tornWriteShare: 0.2 }), {
      clock: systemClock,
      signal: never,
      onBuildEnded: ({ path, outcome }) => {
        expect(outcomeOf(entriesOf(readFileSync(path, 'utf8')))).toBe(outcome)
        ended.push(path)
      },
    })
    const written = await traces()
    const builds = written.map(({ text }) => entriesOf(text))
    expect(written.map(({ name }) => numberOf(name))).toEqual(Array.from({ length: 60 }, (_, n) => n + 1))
    expect(new Set(ended).size).toBe(60)
    expect(new Set(builds.flat().map((entry) => entry.workflow_run_id)).size).toBe(60)
    for (const build of builds) expect(new Set(build.map((entry) => entry.workflow_run_id)).size).toBe(1)
    const outcomes = Object.groupBy(builds, outcomeOf)
    expect(summary).toEqual({
      startedBuilds: 60,
      endedBuilds: 60,
      entries: builds.flat().length,
      bytes: Buffer.byteLength(written.map(({ text }) => text).join('')),
      outcomes: {
        first_pass: outcomes['first_pass']?.length ?? 0,
        after_rework: outcomes['after_rework']?.length ?? 0,
        failed: outcomes['failed']?.length ?? 0,
        abandoned: outcomes['abandoned']?.length ?? 0,
      },
    })
  })

  it('stamps entries with the time of writing, at the requested speed', async () => {
    const clock = jumpingClock()
    await write({ builds: 4, speed: 60 }, clock)
    let longestGap = 0
    for (const { text } of await traces()) {
      const entries = entriesOf(text)
      for (const [index, entry] of entries.slice(1).entries()) {
        const gap = Date.parse(entry.timestamp) - Date.parse(entries[index]!.timestamp)
        const simulated = gap * 60
        expect(simulated).toBeGreaterThanOrEqual(entry.duration_ms! - 60)
        expect(simulated).toBeLessThanOrEqual(entry.duration_ms! + LONGEST_GAP_MS + 60)
        longestGap = Math.max(longestGap, gap)
      }
      expect(Date.parse(entries[0]!.timestamp)).toBeGreaterThan(START)
      expect(Date.parse(entries.at(-1)!.timestamp)).toBeLessThanOrEqual(clock.now())
    }
    expect(longestGap).toBeGreaterThan(500)
    expect(longestGap).toBeLessThanOrEqual((LONGEST_STEP_MS + LONGEST_GAP_MS) / 60 + 1)
  })

  it('repeats itself for the same seed', async () => {
    const [first, second, other] = [join(directory, 'a'), join(directory, 'b'), join(directory, 'c')]
    await write({ directory: first })
    await write({ directory: second })
    await write({ directory: other, seed: 'other' })
    expect(await traces(second)).toEqual(await traces(first))
    expect(await traces(other)).not.toEqual(await traces(first))
  })

  it('lets the revisions of GEMINI.md take turns', async () => {
    await write({ builds: 12, buildsPerContext: 2 })
    const hashes = (await traces()).map(({ text }) => entriesOf(text)[0]!.context_file_hash)
    const turns = [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0]
    expect(hashes).toEqual(turns.map((turn) => CONTEXT_REVISIONS[turn]!.hash))
  })

  it('adds builds to those of an earlier start, and continues none of them', async () => {
    await write({ builds: 2 })
    const before = await traces()
    const later = jumpingClock()
    await later.sleep(5_000, never)
    await write({ builds: 2 }, later)
    const after = await traces()
    expect(after.map(({ name }) => numberOf(name))).toEqual([1, 2, 3, 4])
    expect(after.slice(0, 2)).toEqual(before)
    expect(new Set(after.map(({ text }) => entriesOf(text)[0]!.workflow_run_id)).size).toBe(4)
  })

  it('removes only its own oldest finished builds beyond the number to keep', async () => {
    await write({ builds: 2 })
    await write({ builds: 10, keep: 3 })
    expect((await traces()).map(({ name }) => numberOf(name))).toEqual([1, 2, 10, 11, 12])
  })

  it('tears lines, so that a reader sees unfinished ones, and finishes them', async () => {
    let unfinished = 0
    const clock = jumpingClock(() => {
      for (const text of tracesNow()) if (!text.endsWith('\n')) unfinished += 1
    })
    const { entries } = await write({ builds: 4, tornWriteShare: 1 }, clock)
    expect(unfinished).toBe(entries)
    expect((await traces()).flatMap(({ text }) => entriesOf(text))).toHaveLength(entries)
  })

  it('writes complete lines only if no line is to be torn', async () => {
    const clock = jumpingClock(() => {
      for (const text of tracesNow()) expect(text.endsWith('\n')).toBe(true)
    })
    await write({ builds: 4 }, clock)
  })

  it('stops at once when aborted at any moment; every file ends with a complete line', async () => {
    let stoppedWithinLine = 0
    for (let sleeps = 1; sleeps <= 24; sleeps += 1) {
      const root = join(directory, `${sleeps}`)
      const stopper = new AbortController()
      let slept = 0
      let begun = 0
      const clock = jumpingClock(() => {
        slept += 1
        if (slept !== sleeps) return
        const texts = tracesNow(root)
        if (texts.some((text) => !text.endsWith('\n'))) stoppedWithinLine += 1
        begun = texts.flatMap((text) => text.replace(/\n$/, '').split('\n')).length
        stopper.abort()
      })
      const summary = await writeBuilds(options({ directory: root, builds: Infinity, tornWriteShare: 0.5 }), {
        clock,
        signal: stopper.signal,
      })
      expect(slept).toBe(sleeps)
      expect(summary.entries).toBe(begun)
      const texts = (await traces(root)).map(({ text }) => text)
      for (const text of texts) expect(text.endsWith('\n')).toBe(true)
      expect(texts.flatMap(entriesOf)).toHaveLength(summary.entries)
    }
    expect(stoppedWithinLine).toBeGreaterThan(3)
    expect(stoppedWithinLine).toBeLessThan(24)
  })

  it('stops several endless pipelines under the real clock', async () => {
    const stopper = new AbortController()
    let ended = 0
    const summary = await writeBuilds(
      options({ builds: Infinity, parallel: 6, speed: 1e5, tornWriteShare: 0.3 }),
      {
        clock: systemClock,
        signal: stopper.signal,
        onBuildEnded: () => {
          ended += 1
          if (ended === 20) stopper.abort()
        },
      },
    )
    const written = (await traces()).map(({ text }) => text)
    expect(summary.endedBuilds).toBeGreaterThanOrEqual(20)
    for (const text of written) expect(text.endsWith('\n')).toBe(true)
    expect(written.flatMap(entriesOf)).toHaveLength(summary.entries)
  })

  it('stops all pipelines and names the file when one cannot be written', async () => {
    await writeFile(join(directory, 'in-the-way'), '')
    const writing = write({
      directory: join(directory, 'in-the-way', 'builds'),
      builds: Infinity,
      parallel: 2,
    })
    await expect(writing).rejects.toThrow(/^cannot create .*in-the-way.*ENOTDIR.*;/s)

    let stolen = false
    const clock = jumpingClock()
    const thief = writeBuilds(options({ builds: Infinity }), {
      clock,
      signal: never,
      onBuildEnded: () => {
        if (stolen) return
        stolen = true
        clock.sleep = async () => {
          await rm(directory, { recursive: true, force: true })
          await writeFile(directory, '')
        }
      },
    })
    await expect(thief).rejects.toThrow(/^cannot (create|append to) /)
  })

  function tracesNow(root = directory): string[] {
    if (!existsSync(root)) return []
    const paths = readdirSync(root).map((name) => join(root, name, TRACE_FILE))
    return paths.filter((path) => existsSync(path)).map((path) => readFileSync(path, 'utf8'))
  }
})
