import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { corpusLines, type CorpusOptions, writeCorpus } from '../../src/simulate/corpus.ts'
import { CONTEXT_REVISIONS } from '../../src/simulate/profile.ts'
import { outcomeOf } from './outcome.ts'

const START = Date.UTC(2026, 8, 1)
const SPAN = 30 * 86_400_000
const options = (changes: Partial<CorpusOptions> = {}): CorpusOptions => ({
  seed: 'corpus',
  size: { builds: 1_000 },
  startMs: START,
  spanMs: SPAN,
  ...changes,
})

const entriesIn = async (path: string): Promise<OptimizationLogEntry[]> =>
  (await readFile(path, 'utf8'))
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as OptimizationLogEntry)

describe('a corpus', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'corpus-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  it('is the same to the byte for the same seed, and another for another', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(directory, name, 'audit_trace.jsonl')) as [
      string,
      string,
      string,
    ]
    await writeCorpus([a], options())
    await writeCorpus([b], options())
    await writeCorpus([c], options({ seed: 'another' }))
    const bytes = await readFile(a)
    expect(bytes.equals(await readFile(b))).toBe(true)
    expect(bytes.equals(await readFile(c))).toBe(false)
  })

  it('has lines of the sizes that traces in use have', () => {
    const sizes = [...corpusLines(options({ size: { bytes: 20_000_000 } }))]
      .map(({ text }) => Buffer.byteLength(text))
      .sort((a, b) => a - b)
    const percentile = (share: number): number => sizes[Math.floor(share * sizes.length)]!
    const mean = sizes.reduce((total, size) => total + size, 0) / sizes.length
    expect(percentile(0.5)).toBeGreaterThan(370)
    expect(percentile(0.5)).toBeLessThan(430)
    expect(percentile(0.99)).toBeGreaterThan(4_000)
    expect(percentile(0.99)).toBeLessThan(5_000)
    expect(mean).toBeGreaterThan(620)
    expect(mean).toBeLessThan(720)
  })

  it('reaches the requested size with whole builds, and returns a correct summary', async () => {
    const path = join(directory, 'audit_trace.jsonl')
    const summary = await writeCorpus([path], options({ size: { bytes: 3_000_000 } }))
    expect(summary.bytes).toBe((await stat(path)).size)
    expect(summary.bytes).toBeGreaterThanOrEqual(3_000_000)
    expect(summary.bytes).toBeLessThan(3_100_000)

    const entries = await entriesIn(path)
    const builds = Map.groupBy(entries, (entry) => entry.workflow_run_id)
    expect(entries).toHaveLength(summary.lines)
    expect(builds.size).toBe(summary.builds)
    const outcomes = Object.groupBy([...builds.values()], (build) => outcomeOf(build))
    const counts = Object.fromEntries(Object.entries(outcomes).map(([name, those]) => [name, those?.length]))
    expect(counts).toEqual(summary.outcomes)
    expect(Math.min(...Object.values(summary.outcomes))).toBeGreaterThan(0)
  })

  it('interleaves builds in order of time over the span, the contexts taking over one after another', () => {
    const lines = [...corpusLines(options({ spanMs: 86_400_000 }))]
    const entries = lines.map(({ text }) => JSON.parse(text) as OptimizationLogEntry)
    const times = entries.map(({ timestamp }) => Date.parse(timestamp))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect(times[0]).toBeGreaterThan(START)
    expect(times.at(-1)).toBeGreaterThan(START + 86_000_000)
    const switches = entries.filter(
      ({ workflow_run_id }, index) => entries[index - 1]?.workflow_run_id !== workflow_run_id,
    )
    expect(switches.length).toBeGreaterThan(2_000)
    const hashes = [...new Set(entries.map(({ context_file_hash }) => context_file_hash))]
    expect(hashes).toEqual(CONTEXT_REVISIONS.map(({ hash }) => hash))
  })

  it('is dealt to several files, each build whole in one, replacing what stood there', async () => {
    const paths = Array.from({ length: 7 }, (_, index) => join(directory, `f-${index}`, 'audit_trace.jsonl'))
    await writeCorpus(paths, options({ size: { builds: 3 } }))
    const summary = await writeCorpus(paths, options({ size: { builds: 50 } }))
    const runs = await Promise.all(
      paths.map(async (path) => new Set((await entriesIn(path)).map((entry) => entry.workflow_run_id))),
    )
    expect(runs.map((inFile) => inFile.size)).toEqual([8, 7, 7, 7, 7, 7, 7])
    expect(new Set(runs.flatMap((inFile) => [...inFile])).size).toBe(summary.builds)
  })

  it('mixes builds with and without the optional extensions', () => {
    const extended = (extensionShare: number) =>
      [...corpusLines(options({ extensionShare }))].filter(({ text }) => text.includes('"duration_ms"'))
        .length
    expect(extended(0)).toBe(0)
    expect(extended(0.25)).toBeGreaterThan(500)
    expect(extended(1)).toBe([...corpusLines(options({ extensionShare: 1 }))].length)
  })
})
