import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { simulateOptions, type SimulateFlags } from '../../src/commands/simulate-flags.ts'
import { simulate } from '../../src/commands/simulate.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'

describe('simulate', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'simulate-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  const run = async (flags: Partial<SimulateFlags>) => {
    const logged: string[] = []
    const summary = await simulate(simulateOptions.parse({ directory, speed: 1e6, ...flags }), {
      log: { info: (fields, message) => void logged.push(`${message} ${JSON.stringify(fields)}`) },
      signal: new AbortController().signal,
    })
    return { summary, logged }
  }
  const fixes = async (): Promise<OptimizationLogEntry[]> => {
    const names = await readdir(directory)
    const texts = await Promise.all(
      names.map((name) => readFile(join(directory, name, 'audit_trace.jsonl'), 'utf8')),
    )
    return texts
      .flatMap((text) => text.trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as OptimizationLogEntry)
      .filter(({ step_name }) => step_name.startsWith('fix'))
  }

  it('writes the requested number of builds and logs start and end', async () => {
    const { summary, logged } = await run({ builds: '7', parallel: '2', seed: 'a' })
    expect(summary.endedBuilds).toBe(7)
    expect(await readdir(directory)).toHaveLength(7)
    expect(logged).toEqual([
      expect.stringMatching(/^simulation started .*"builds":7.*"seed":"a"/),
      expect.stringMatching(/^simulation ended .*"endedBuilds":7/),
    ])
  })

  it('makes rework more expensive after the given time', async () => {
    const mean = (entries: OptimizationLogEntry[]) =>
      entries.reduce((total, entry) => total + entry.completion_token_count!, 0) / entries.length
    await run({ builds: 60, seed: 'spike' })
    const usual = mean(await fixes())
    await rm(directory, { recursive: true })
    await run({ builds: 60, seed: 'spike', spikeAfterSeconds: 0, spikeFactor: 5 })
    expect(mean(await fixes()) / usual).toBeCloseTo(5, 1)
  })

  it.each([
    ['builds', 0],
    ['parallel', 1.5],
    ['speed', 0],
    ['speed', 'fast'],
    ['tornWrites', 1.1],
    ['keep', -1],
    ['colour', 'red'],
    ['directory', ''],
  ])('refuses %s = %s, naming it', (name, value) => {
    const { error } = simulateOptions.safeParse({ directory: 'x', [name]: value })
    expect(JSON.stringify(error?.issues)).toContain(`"${name}"`)
  })
})
