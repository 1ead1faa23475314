import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { fleetName } from '../../prometheus/fleet.ts'
import { sumOfIncrease } from '../../prometheus/increase.ts'
import { startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { type Prometheus, startPrometheus, writeTargets } from '../setup/prometheus.ts'
import { answers, emptyOf, settled } from './compare.ts'
import { createWriter, JOB, MAY_BE_EMPTY, queriesOf, totalOf, writeQuickRules } from './fleet.ts'

const DEPLOY = path.resolve(import.meta.dirname, '../../docs/deploy.md')
const FLEET = path.resolve(import.meta.dirname, '../../prometheus/fleet')

/** The receivers of a committed configuration, but at another address. */
const remoteWrite = (name: string, { url }: Prometheus): object[] =>
  (parse(readFileSync(path.join(FLEET, name), 'utf8')) as { remote_write: object[] }).remote_write.map(
    (to) => ({
      ...to,
      url: `${url}/api/v1/write`,
    }),
  )

/** The committed rules with steps of 20 seconds. */
function writeQuickSums(directory: string): string {
  const file = path.join(directory, 'sums.yml')
  const text = readFileSync(path.join(FLEET, 'rules.yml'), 'utf8')
    .replaceAll('interval: 5m', 'interval: 20s')
    .replaceAll('[5m] offset 1m', '[20s] offset 5s')
    .replaceAll('[1h] offset 6m', '[1h] offset 25s')
  writeFileSync(file, text)
  return file
}

/** The queries over sums that docs/deploy.md gives, by dashboard and panel, over the last hour. */
const documented = (): [board: string, panel: string, query: string][] =>
  [...readFileSync(DEPLOY, 'utf8').matchAll(/^\| ([A-Z][\w ]+): (.+?) \| `(.+)` \|$/gmu)].map(
    ([, board = '', panel = '', query = '']) => [
      `audit-${board.toLowerCase().replace(' ', '-')}`,
      panel,
      query.replaceAll('[7d]', '[1h]').replaceAll('\\|', '|'),
    ],
  )

/** The queries that two servers answer differently, with both answers. */
async function differences(
  one: Prometheus,
  other: Prometheus,
  queries: ReadonlyMap<string, string>,
  timeMs: number,
): Promise<unknown[]> {
  const [first, second] = [await answers(one, queries, timeMs), await answers(other, queries, timeMs)]
  return Object.keys(first)
    .filter((name) => JSON.stringify(first[name]) !== JSON.stringify(second[name]))
    .map((name) => [name, first[name], second[name]])
}

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  test('a receiver of what the dashboards read shows what the source shows; one of sums has the same sums', async () => {
    const directory = temporaryDirectory()
    const start = async (name: string) => {
      const root = path.join(directory, 'builds', name)
      mkdirSync(root, { recursive: true })
      const args = ['--new-series-hold', '2s', '--scan-interval', '1s']
      const daemon = await startDaemon({ roots: [root], state: path.join(directory, name), args })
      await daemon.ready()
      return { daemon, writer: createWriter(root) }
    }
    const exporters = { a: await start('a'), b: await start('b'), c: await start('c') }
    const addresses = Object.values(exporters).map(({ daemon }) => daemon.address)
    const targets = path.join(directory, 'targets.json')
    writeTargets(targets, addresses)

    const receiver = (): Promise<Prometheus> =>
      startPrometheus({ generation, targets: {}, args: ['--web.enable-remote-write-receiver'] })
    const [panels, sums] = [await receiver(), await receiver()]
    const source = await startPrometheus({
      generation,
      targets: {},
      discovery: { job: JOB, file: targets },
      ruleFiles: [...writeQuickRules(directory), writeQuickSums(directory)],
      remoteWrite: [
        ...remoteWrite('remote-write-panels.yml', panels),
        ...remoteWrite('remote-write-sums.yml', sums),
      ],
    })

    const { a, b, c } = exporters
    const written = () =>
      totalOf({
        a: { counts: a.writer.counts },
        b: { counts: b.writer.counts },
        c: { counts: c.writer.counts },
      })
    const fromMs = Date.now()
    a.writer.build('a1', 'one', 'TSC_ERROR')
    b.writer.build('b1', 'two')
    c.writer.build('c1', 'one', 'JEST_FAILURE')
    await settled([source], written())
    // One is gone, as a pod that has ended.
    await c.daemon.stop('SIGKILL')
    writeTargets(targets, addresses.slice(0, 2))
    a.writer.build('a2', 'two', 'TSC_ERROR')
    b.writer.build('b2', 'three', 'ESLINT_ERROR')
    const endMs = await settled([source], written())

    const queries = new Map(
      [...queriesOf(Math.ceil((endMs - fromMs) / 1000))].filter(([name]) => name.includes(': ')),
    )
    // Panels need these an hour after an exporter has ended.
    queries.set('kept', 'sum by (instance) (audit_tokens_total:kept)')
    expect(emptyOf(await answers(source, queries, endMs)).filter((name) => !MAY_BE_EMPTY.test(name))).toEqual(
      [],
    )
    // Both are asked again: the end of a series is stored some scrapes after its time.
    await expect.poll(() => differences(source, panels, queries, endMs)).toEqual([])
    const shown = await answers(source, queries, endMs)

    const byType = new Map(
      ['audit_tokens_total', 'audit_entries_total'].map((name) => [
        name,
        sumOfIncrease(['phase', 'error_type', 'context_hash'], { name, window: '1h' }),
      ]),
    )
    const summed = new Map(
      [...byType.keys()].map((name) => [
        name,
        `sum by (phase, error_type, context_hash) (sum_over_time(${fleetName(name)}[1h]))`,
      ]),
    )
    const truth = await answers(source, byType, endMs)
    await expect.poll(() => answers(sums, summed, Date.now())).toEqual(truth)
    expect(await sums.instant('{instance!=""}')).toEqual([])
    const numbers = (samples: Readonly<Record<string, string>> = {}): string[] =>
      Object.values(samples).toSorted()
    expect(documented().length).toBeGreaterThan(5)
    for (const [board, panel, query] of documented()) {
      const found = numbers((await answers(sums, new Map([[panel, query]]), Date.now()))[panel])
      const targets = Object.entries(shown).filter(([name]) => name.startsWith(`${board}: ${panel} `))
      expect(
        targets.map(([, samples]) => numbers(samples)),
        `${board}: ${panel}`,
      ).toContainEqual(found)
    }
  })
})
