import { once } from 'node:events'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { exactIncrease } from '../../prometheus/increase.ts'
import { startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { startPrometheus } from '../setup/prometheus.ts'
import { risen } from './compare.ts'
import { expectedOf, shortBuild, sumsOf, writeBuild } from './short-lives.ts'

/** The flags that the documentation recommends for a sidecar; nothing else is set. */
const SIDECAR = ['--baseline', 'none', '--close-builds-on-exit', '--linger', '60s']
const BUILDS = 20
const SHORTEST_MS = 20_000
const LONGEST_MS = 60_000

/** Targets by build, as discovery lists pods; Prometheus notices each change. */
function createTargets(file: string) {
  const targets = new Map<string, string>()
  const write = (): void => {
    const groups = [...targets].map(([pod, target]) => ({ targets: [target], labels: { pod } }))
    writeFileSync(`${file}.new`, JSON.stringify(groups))
    renameSync(`${file}.new`, file)
  }
  write()
  return {
    add: (pod: string, target: string) => (targets.set(pod, target), write()),
    remove: (pod: string) => (targets.delete(pod), write()),
  }
}

/** The life of one pod: a fresh exporter, then the build, then SIGTERM one second after its last line. */
async function live(directory: string, number: number, targets: ReturnType<typeof createTargets>) {
  const life = SHORTEST_MS + ((LONGEST_MS - SHORTEST_MS) * number) / (BUILDS - 1)
  const build = shortBuild(number, life)
  const pod = path.join(directory, build.name)
  const root = path.join(pod, 'builds')
  mkdirSync(root, { recursive: true })
  const exporter = await startDaemon({ roots: [root], state: path.join(pod, 'state'), args: SIDECAR })
  targets.add(build.name, exporter.address)
  await exporter.ready()
  const lines = await writeBuild(root, build)
  await wait(1_000)
  exporter.child.kill('SIGTERM')
  await once(exporter.child, 'close')
  targets.remove(build.name)
  return { build, lines, exitCode: exporter.child.exitCode, log: exporter.log() }
}

test('of 20 builds of 20 to 60 s, each with an exporter of its own, scraped every 5 s and every 15 s, nothing is lost', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'targets.json')
  const targets = createTargets(file)
  const discovery = { job: 'audit', file }
  const servers = await Promise.all([
    startPrometheus({ generation: '2', targets: {}, discovery, interval: '5s' }),
    startPrometheus({ generation: '3', targets: {}, discovery, interval: '15s' }),
  ])

  const lives = await Promise.all(
    Array.from({ length: BUILDS }, (_, number) => live(directory, number, targets)),
  )

  for (const { log, exitCode, build } of lives) {
    expect([build.name, exitCode, log.at(-2)?.['event']]).toEqual([build.name, 0, 'all_shown'])
  }
  const expected = expectedOf(lives)
  const entries = lives.reduce((sum, { lines }) => sum + lines.length, 0)
  for (const server of servers) {
    const found = sumsOf(await risen(server, '15m'))
    expect([...found.keys()].toSorted()).toEqual([...expected.keys()].toSorted())
    for (const [key, value] of expected) expect(found.get(key), key).toBeCloseTo(value, 6)
    // What the panels and rules ask gives the same.
    for (const [name, value] of [
      ['audit_entries_total', entries],
      ['audit_builds_total', BUILDS],
    ] as const) {
      const [total] = await server.instant(`sum(${exactIncrease({ name, window: '15m' })})`)
      expect(total?.value, name).toBe(value)
    }
  }
})
