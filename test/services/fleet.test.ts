import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { exactIncrease } from '../../prometheus/increase.ts'
import { type Daemon, startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, type Generation } from '../setup/generations.ts'
import { until } from '../setup/process.ts'
import { type Prometheus, startPrometheus, writeTargets } from '../setup/prometheus.ts'
import { createWriter, hashOf, queriesOf, quickRules } from './fleet.ts'

const JOB = 'audit-trace-exporter'

interface Pair {
  readonly one: Prometheus
  readonly fleet: Prometheus
}

/** Samples by labels; numbers with 12 digits, because floating-point sums depend on their order. */
async function answer({ url }: Prometheus, query: string, timeMs: number): Promise<Record<string, string>> {
  const body = new URLSearchParams({ query, time: String(timeMs / 1000) })
  const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body })
  const { data, error } = (await response.json()) as {
    error?: string
    data: { result: { metric: Record<string, string>; value: [number, string] }[] }
  }
  if (error !== undefined) throw new Error(`${query}: ${error}`)
  return Object.fromEntries(
    data.result
      .map(({ metric, value }): [string, string] => [
        JSON.stringify(Object.entries(metric).sort(([a], [b]) => (a < b ? -1 : 1))),
        Number(value[1]).toPrecision(12),
      ])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** The answers of one and of the fleet, by the name of the query. */
async function answers(pair: Pair, queries: ReadonlyMap<string, string>, timeMs: number) {
  const [one, fleet]: Record<string, unknown>[] = [{}, {}]
  for (const [name, query] of queries) {
    one![name] = await answer(pair.one, query, timeMs)
    fleet![name] = await answer(pair.fleet, query, timeMs)
  }
  return { one, fleet }
}

const increaseOf = (name: string): string => `sum(${exactIncrease({ name, window: '1h' })})`

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

    const rules = [...quickRules()].map(([name, text]) => {
      writeFileSync(path.join(directory, name), text)
      return path.join(directory, name)
    })
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
    const written = (what: 'entries' | 'builds'): number =>
      Object.values(writers).reduce((sum, { counts }) => sum + counts[what], 0)
    /** Waits until both servers have all that was written; the time of that, in whole seconds. */
    async function settled(): Promise<number> {
      for (const prometheus of [pair.one, pair.fleet]) {
        await until('all entries and builds are in Prometheus', async () => {
          const [entries] = await prometheus.instant(increaseOf('audit_entries_total'))
          const [builds] = await prometheus.instant(increaseOf('audit_builds_total'))
          return (entries?.value === written('entries') && builds?.value === written('builds')) || undefined
        })
        await until('the histograms are in Prometheus', async () => {
          const [steps] = await prometheus.instant(increaseOf('audit_step_token_cost_count'))
          return steps?.value === written('entries') || undefined
        })
      }
      const [tokens] = await pair.one.instant(increaseOf('audit_tokens_total'))
      await until('all tokens are in Prometheus', async () => {
        const [others] = await pair.fleet.instant(increaseOf('audit_tokens_total'))
        return others?.value === tokens?.value || undefined
      })
      const completeMs = Date.now()
      for (const prometheus of [pair.one, pair.fleet]) {
        await until('the revisions have been evaluated since', async () => {
          const { groups } = await prometheus.api<{ groups: { name: string; lastEvaluation: string }[] }>(
            'rules',
          )
          const { lastEvaluation } = groups.find(({ name }) => name === 'audit-revisions')!
          return Date.parse(lastEvaluation) > completeMs || undefined
        })
      }
      const nowMs = Math.ceil(Date.now() / 1000) * 1000
      // What is written next belongs to the time after it.
      await until('that second has passed', () => Date.now() > nowMs || undefined)
      return nowMs
    }

    // Each meets the revisions in another order, and c has one of its own.
    const fromMs = Date.now()
    writers.b.build('b1', 'two')
    await settled()
    writers.a.build('a1', 'one', 'TSC_ERROR')
    writers.a.build('a2', 'two')
    writers.c.build('c1', 'three', 'JEST_FAILURE')
    await settled()
    writers.b.build('b2', 'one')
    writers.c.build('c2', 'two', 'TSC_ERROR')
    writers.b.begin('b3', 'two', 'ESLINT_ERROR')
    await settled()

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
    const middleMs = await settled()

    writers.b.end('b3', 'two', 1)
    writers.a.build('a3', 'four', 'TSC_ERROR')
    writers.b.build('b4', 'five')
    await settled()
    // The time range is as long as the time before it that it is compared with.
    await until(
      'the second half is as long as the first',
      () => Date.now() - middleMs > middleMs - fromMs || undefined,
    )
    const endMs = await settled()

    const queries = queriesOf((endMs - middleMs) / 1000)
    const before = await answers(pair, queries, endMs)
    expect(before.fleet).toEqual(before.one)
    const empty = Object.entries(before.one!).filter(([, found]) => Object.keys(found as object).length === 0)
    expect(empty.map(([name]) => name).filter((name) => !MAY_BE_EMPTY.test(name))).toEqual([])
    // By first use over all exporters, which no exporter of the fleet knows alone.
    const previous = await pair.fleet.instant('context_hash:audit_context_previous:info', endMs)
    expect(
      Object.fromEntries(previous.map(({ labels }) => [labels['context_hash'], labels['previous_hash']])),
    ).toMatchObject({ [short('one')]: short('two') })
    expect(previous).toHaveLength(4)

    await pair.one.stop()
    await pair.fleet.stop()
    pair = await servers()
    expect(await answers(pair, queries, endMs)).toEqual(before)
    const laterMs = await settled()
    const revisions = new Map([...queries].filter(([name]) => name.startsWith('context_hash:audit_context_')))
    const after = await answers(pair, revisions, laterMs)
    expect(after.fleet).toEqual(after.one)
    expect(after.one).toMatchObject(
      Object.fromEntries([...revisions.keys()].map((name) => [name, before.one![name]])),
    )
  })
})

const short = (revision: string): string => hashOf(revision).slice(0, 12)

/** Alerts and panels that need more builds than there are, or a fault. */
const MAY_BE_EMPTY =
  /^Audit|Firing alerts|Implement prompt versions|Fix prompt versions|by (implement|fix) prompt version|First-pass rate by revision|Error types with|Error rates before|Tokens and fixes by revision|Failed validations by check/
