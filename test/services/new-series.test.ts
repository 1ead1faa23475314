import fs from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { startDaemon } from '../setup/daemon.ts'
import { until } from '../setup/process.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { startPrometheus, type Prometheus } from '../setup/prometheus.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

function temporary(): string {
  const directory = fs.mkdtempSync(path.join(tmpdir(), 'new-series-'))
  stops.push(() => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Times of the stored scrapes, in milliseconds. */
async function scrapes(server: Prometheus): Promise<number[]> {
  const { result } = await server.api<{ result: { values: [number, string][] }[] }>(
    `query?${new URLSearchParams({ query: 'up[1h]' }).toString()}`,
  )
  return result[0]?.values.map(([seconds]) => Math.round(seconds * 1000)) ?? []
}

test('Prometheus 2 and 3, scraping at different moments, both see every first increment of a new series', async () => {
  const [root, state] = [temporary(), temporary()]
  const trace = path.join(root, 'audit_trace.jsonl')
  fs.writeFileSync(trace, '')
  const daemon = await startDaemon({ roots: [root], state, args: ['--new-series-hold', '4s'] })
  stops.push(() => daemon.stop('SIGKILL'))
  await daemon.ready()
  const servers: Prometheus[] = []
  for (const generation of GENERATIONS) {
    const server = await startPrometheus({ generation, targets: { audit: daemon.address } })
    stops.push(server.stop)
    servers.push(server)
  }
  const [early = [], late = []] = await Promise.all(servers.map(scrapes))
  const phase = (times: readonly number[]): number => (times.at(-1) ?? 0) % 1_000
  expect(phase(early), 'they scrape at different moments').not.toBe(phase(late))

  // New series one after another, each with several entries before the first scrape of it.
  const expected = new Map<string, number>()
  for (let i = 0; i < 12; i++) {
    const step = `step_${i}`
    const entry = { workflow_run_id: `run-${i}`, step_name: step, timestamp: new Date().toISOString() }
    fs.appendFileSync(trace, `${JSON.stringify(entry)}\n`.repeat(i + 1))
    expected.set(step, i + 1)
    const seen = (await scrapes(servers[i % 2] as Prometheus)).length
    await until(
      'one more scrape',
      async () => (await scrapes(servers[i % 2] as Prometheus)).length > seen || undefined,
    )
  }

  for (const server of servers) {
    await until('all of it is stored', async () => {
      const stored = await server.instant('sum(audit_entries_total)')
      return stored[0]?.value === 78 || undefined
    })
    // A range between two samples is not extrapolated.
    const times = await scrapes(server)
    const [first, last] = [times[0] as number, times.at(-1) as number]
    const increases = await server.instant(`increase(audit_entries_total[${last - first}ms])`, last)
    const rounded = new Map(increases.map(({ labels, value }) => [labels['step'], Math.round(value)]))
    expect(rounded).toEqual(expected)
  }
})
