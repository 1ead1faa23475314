import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createHttpServer } from '../../src/serve/server.ts'
import { emptyStatus } from '../serve/status-fixture.ts'
import { startAlertmanager } from './alertmanager.ts'
import { startDaemon } from './daemon.ts'
import { GENERATIONS, type Generation } from './generations.ts'
import { until } from './process.ts'
import { startPrometheus } from './prometheus.ts'

const stops: (() => unknown)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop()
})

function temporary(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'services-'))
  stops.push(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Samples that a range of two steps has: three where the left boundary belongs to it. */
const SAMPLES_IN_RANGE: Readonly<Record<Generation, number>> = { '2': 3, '3': 2 }

test.each(GENERATIONS)(
  'Prometheus %s scrapes, evaluates a rule, and its alert reaches the webhook',
  async (generation) => {
    const rules = path.join(temporary(), 'rules.yml')
    writeFileSync(
      rules,
      'groups: [{name: g, rules: [{alert: Grown, expr: "grown > 1", labels: {severity: page}}]}]\n',
    )
    let scrapes = 0
    const scrape = () => {
      const sent = (): void => void scrapes++
      return Promise.resolve({ contentType: 'text/plain; version=0.0.4', body: `grown ${scrapes}\n`, sent })
    }
    const exporter = createHttpServer({
      notReadyReason: () => undefined,
      noScrapeReason: () => undefined,
      scrape,
      status: () => emptyStatus(),
      onRequestError: () => undefined,
    })
    const { port } = await exporter.listen('127.0.0.1', 0)
    stops.push(() => exporter.close())
    const alertmanager = await startAlertmanager()
    stops.push(alertmanager.stop)
    const fromMs = Date.now()
    const prometheus = await startPrometheus({
      generation,
      targets: { fake: `127.0.0.1:${port}` },
      ruleFiles: [rules],
      alertmanager: alertmanager.address,
    })
    stops.push(prometheus.stop)

    const alert = await until('the alert', () =>
      alertmanager.notified.find(({ status }) => status === 'firing'),
    )
    expect(alert.labels).toMatchObject({ alertname: 'Grown', job: 'fake', severity: 'page' })
    const [range] = await prometheus.instant('count_over_time(vector(1)[2s:1s] @ 10)')
    expect(range?.value).toBe(SAMPLES_IN_RANGE[generation])
    const [sample] = await prometheus.instant('grown')
    expect(sample?.labels['instance']).toBe(`127.0.0.1:${port}`)
    // A range has only whole steps: the newest sample may lie after the last of them.
    const series = await until('a range up to a value above 1', async () => {
      const [range] = await prometheus.range('grown', fromMs, Date.now(), 1)
      return (range?.values.at(-1)?.[1] ?? 0) > 1 ? range : undefined
    })
    expect(series.labels['job']).toBe('fake')
  },
)

test('the real daemon starts, counts a file, and ends with exit code 0 at SIGTERM', async () => {
  const root = temporary()
  const entry = { workflow_run_id: 'r', step_name: 'scaffold', timestamp: '2026-01-01T00:00:00Z' }
  writeFileSync(path.join(root, 'audit_trace.jsonl'), `${JSON.stringify(entry)}\n`)
  const daemon = await startDaemon({ roots: [root], state: temporary() })
  stops.push(() => daemon.stop('SIGKILL'))
  await daemon.ready()
  const entries = [...(await daemon.scrape())].filter(([key]) => key.startsWith('audit_entries_total{'))
  expect(entries.map(([, value]) => value)).toEqual([1])
  expect(await daemon.stop('SIGTERM')).toBe(0)
  expect(daemon.log().at(-1)).toMatchObject({ event: 'stopped' })
})
