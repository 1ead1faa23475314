import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Daemon, startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, type Generation } from '../setup/generations.ts'
import { until } from '../setup/process.ts'
import { type Prometheus, startPrometheus, writeTargets } from '../setup/prometheus.ts'
import { answers, emptyOf, settled } from './compare.ts'
import { createWriter, hashOf, JOB, MAY_BE_EMPTY, queriesOf, totalOf, writeQuickRules } from './fleet.ts'

interface Pair {
  readonly one: Prometheus
  readonly fleet: Prometheus
}

describe.each(GENERATIONS)('Prometheus %s', (generation: Generation) => {
  test('three exporters give the figures of one over the same files, also after one died and one moved', async () => {
    const directory = temporaryDirectory()
    const root = (name: string): string => path.join(directory, 'builds', name)
    for (const name of ['a', 'b', 'c']) mkdirSync(root(name), { recursive: true })
    const start = async (roots: readonly string[], state: string): Promise<Daemon> => {
      const args = ['--new-series-hold', '2s', '--scan-interval', '1s']
      const daemon = await startDaemon({ roots, state: path.join(directory, state), args })
      await daemon.ready()
      return daemon
    }
    const whole = await start([path.join(directory, 'builds')], 'whole')
    const a = await start([root('a')], 'state-a')
    const b = await start([root('b')], 'state-b')
    const c = await start([root('c')], 'state-c')

    const rules = writeQuickRules(directory)
    const targets = (name: string): string => path.join(directory, `${name}.json`)
    writeTargets(targets('one'), [whole.address])
    writeTargets(targets('fleet'), [a.address, b.address, c.address])
    const server = (name: string): Promise<Prometheus> =>
      startPrometheus({
        generation,
        targets: {},
        discovery: { job: JOB, file: targets(name) },
        ruleFiles: rules,
        dataDirectory: path.join(directory, `data-${name}`),
      })
    const servers = async (): Promise<Pair> => ({ one: await server('one'), fleet: await server('fleet') })
    let pair = await servers()

    const writers = { a: createWriter(root('a')), b: createWriter(root('b')), c: createWriter(root('c')) }
    const settledNow = (): Promise<number> => settled(Object.values(pair) as Prometheus[], totalOf(writers))
    const both = async (queries: ReadonlyMap<string, string>, timeMs: number) => ({
      one: await answers(pair.one, queries, timeMs),
      fleet: await answers(pair.fleet, queries, timeMs),
    })

    // Each meets the revisions in another order, and c has one of its own.
    const fromMs = Date.now()
    writers.b.build('b1', 'two')
    await settledNow()
    writers.a.build('a1', 'one', 'TSC_ERROR')
    writers.a.build('a2', 'two')
    writers.c.build('c1', 'three', 'JEST_FAILURE')
    await settledNow()
    writers.b.build('b2', 'one')
    writers.c.build('c2', 'two', 'TSC_ERROR')
    writers.b.begin('b3', 'two', 'ESLINT_ERROR')
    await settledNow()

    // c dies, and discovery drops it; b comes back with its state under another name.
    writeTargets(targets('fleet'), [a.address, b.address])
    await c.stop('SIGKILL')
    await b.stop('SIGTERM')
    const moved = await start([root('b')], 'state-b')
    expect(moved.address).not.toBe(b.address)
    writeTargets(targets('fleet'), [a.address, moved.address])
    await until('b is scraped under its new name', async () => {
      const [up] = await pair.fleet.instant(`up{instance="${moved.address}"}`)
      return up?.value === 1 || undefined
    })
    const middleMs = await settledNow()

    writers.b.end('b3', 'two', 1)
    writers.a.build('a3', 'four', 'TSC_ERROR')
    writers.b.build('b4', 'five')
    await settledNow()
    // The time range is as long as the time before it that it is compared with.
    await until(
      'the second half is as long as the first',
      () => Date.now() - middleMs > middleMs - fromMs || undefined,
    )
    const endMs = await settledNow()

    const queries = queriesOf((endMs - middleMs) / 1000)
    const before = await both(queries, endMs)
    expect(before.fleet).toEqual(before.one)
    expect(emptyOf(before.one).filter((name) => !MAY_BE_EMPTY.test(name))).toEqual([])
    // By first use over all exporters, which no exporter of the fleet knows alone.
    const previous = await pair.fleet.instant('context_hash:audit_context_previous:info', endMs)
    expect(
      Object.fromEntries(previous.map(({ labels }) => [labels['context_hash'], labels['previous_hash']])),
    ).toMatchObject({ [short('one')]: short('two') })
    expect(previous).toHaveLength(4)

    await pair.one.stop()
    await pair.fleet.stop()
    pair = await servers()
    expect(await both(queries, endMs)).toEqual(before)
    const laterMs = await settledNow()
    const revisions = new Map([...queries].filter(([name]) => name.startsWith('context_hash:audit_context_')))
    const after = await both(revisions, laterMs)
    expect(after.fleet).toEqual(after.one)
    expect(after.one).toMatchObject(
      Object.fromEntries([...revisions.keys()].map((name) => [name, before.one[name]])),
    )
  })
})

const short = (revision: string): string => hashOf(revision).slice(0, 12)
