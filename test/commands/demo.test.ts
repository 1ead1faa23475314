import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { CONTEXT_REVISIONS } from '../../src/simulate/profile.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { start, until, type Started } from '../setup/process.ts'

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

const startDemo = (directory: string, more: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Started => {
  const flags = { directory, listen: '127.0.0.1:0', speed: '600', seed: 'demo' }
  const given = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])
  return start(process.execPath, [MAIN, 'demo', ...given, ...more], env)
}

/** The metrics of a demo, once it has caught up. */
const scrape = (demo: Started): Promise<string> =>
  until(
    'the demo answers a scrape',
    async () => {
      const url = /(http:\/\/127\.0\.0\.1:\d+)\/metrics/u.exec(demo.output())?.[1]
      const response = url === undefined ? undefined : await fetch(`${url}/metrics`)
      return response?.ok === true ? await response.text() : undefined
    },
    { detail: demo.output },
  )

/** The context hashes of the entries below a directory of builds. */
const hashesIn = (builds: string): Set<string | null | undefined> =>
  new Set(
    readFileSync(path.join(builds, 'audit_trace.jsonl'), 'utf8')
      .split('\n')
      // A line that is being written has no newline yet.
      .slice(0, -1)
      .map((line) => (JSON.parse(line) as OptimizationLogEntry).context_file_hash)
      .filter((hash) => hash !== undefined && hash !== null),
  )

test('demo writes real files, watches them and says where to look', async () => {
  const demo = startDemo(temporaryDirectory())
  const outcomes = await until('builds have closed', async () => {
    const found = new Set(
      [...(await scrape(demo)).matchAll(/^audit_builds_total\{outcome="(\w+)"/gm)].map(
        ([, outcome]) => outcome,
      ),
    )
    return found.size === 4 ? found : undefined
  })
  expect(outcomes).toEqual(new Set(['abandoned', 'after_rework', 'failed', 'first_pass']))
  expect(await demo.stop('SIGTERM')).toBe(0)
})

test('the history of a demo has every revision of GEMINI.md, and the live builds continue with the newest', async () => {
  const directory = temporaryDirectory()
  const demo = startDemo(directory)
  const builds = path.join(directory, 'builds')
  const live = await until(
    'live builds are written',
    () => {
      const names = readdirSync(builds).filter((name) => name !== 'last-days')
      return names.length >= 4 ? names : undefined
    },
    { detail: demo.output },
  )
  expect(await demo.stop('SIGTERM')).toBe(0)
  const revisions = CONTEXT_REVISIONS.map(({ hash }) => hash)
  expect(hashesIn(path.join(builds, 'last-days'))).toEqual(new Set(revisions))
  const used = live.flatMap((name) => [...hashesIn(path.join(builds, name))])
  expect(new Set(used)).toEqual(new Set([revisions.at(-1)]))
})

test('the builds of the history close with their verdicts, and not at the short timeout of the live builds', async () => {
  const demo = startDemo(temporaryDirectory(), ['--speed', '60'])
  const metrics = await scrape(demo)
  const first = CONTEXT_REVISIONS[0]?.hash.slice(0, 12)
  const passed = new RegExp(
    `^audit_builds_total\\{outcome="first_pass",context_hash="${first}"\\} (\\d+)`,
    'mu',
  ).exec(metrics)
  expect(Number(passed?.[1])).toBeGreaterThan(3)
  expect(await demo.stop('SIGTERM')).toBe(0)
})

test('a demo in the directory of an earlier one does not write its history again', async () => {
  const directory = temporaryDirectory()
  const history = path.join(directory, 'builds', 'last-days', 'audit_trace.jsonl')
  const first = startDemo(directory)
  await scrape(first)
  expect(await first.stop('SIGTERM')).toBe(0)
  const written = readFileSync(history, 'utf8')
  const second = startDemo(directory)
  await scrape(second)
  expect(await second.stop('SIGTERM')).toBe(0)
  expect(readFileSync(history, 'utf8')).toBe(written)
})

test('a demo of three exporters shows the builds of all of them on one page of Prometheus', async () => {
  const demo = startDemo(temporaryDirectory(), ['--exporters', '3'])
  const page = await until(
    'Prometheus is ready',
    () => /(http:\/\/127\.0\.0\.1:\d+)\/graph/u.exec(demo.output())?.[1],
    { detail: demo.output },
  )
  const answer = await until(
    'every exporter has closed a build since its start',
    async () => {
      const query = 'count(sum by (instance) (audit_builds_total) > 0)'
      const response = await fetch(`${page}/api/v1/query?query=${encodeURIComponent(query)}`)
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } }
      return data.result[0]?.value[1] === '3' ? data : undefined
    },
    { detail: demo.output },
  )
  expect(answer).toBeDefined()
  expect(demo.output().match(/another exporter/gu)).toHaveLength(2)
  expect(await demo.stop('SIGTERM')).toBe(0)
  await expect(fetch(page)).rejects.toThrow('fetch failed')
})

test('a demo of several exporters says how to see them on one page where Prometheus is not installed', async () => {
  const demo = startDemo(temporaryDirectory(), ['--exporters', '2'], { PATH: '/nowhere' })
  const text = await until(
    'the hint is printed',
    () => (demo.output().includes('install Prometheus') ? demo.output() : undefined),
    { detail: demo.output },
  )
  expect(text).toContain('another exporter')
  expect(await demo.stop('SIGTERM')).toBe(0)
})
