import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { writeCorpus } from '../../src/simulate/corpus.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { parseExposition } from '../setup/exposition.ts'
import { requirePodman, standInForNode, type Podman } from '../setup/podman.ts'
import { freePort } from '../setup/free-port.ts'
import { until } from '../setup/process.ts'
import { skipTest } from '../setup/programs.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const DOCKERFILE = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8')
const BASE = /^FROM (node:\S+) AS build$/mu.exec(DOCKERFILE)![1]!
const IMAGE = `localhost/audit-trace-exporter:${manifest.version}`
const WITH_REPORT = `${IMAGE}-report`
const EXPORTER = 1000

/** How the image is meant to be run: docs/image.md. */
const CONFINED = ['--read-only', '--cap-drop=all', '--security-opt=no-new-privileges', '--network=host']
const limited = (memory: string): string[] => [`--memory=${memory}`, `--memory-swap=${memory}`]

const NINETY_DAYS = { startMs: Date.parse('2026-08-01T00:00:00Z'), spanMs: 90 * 86_400_000 }

let building: Promise<Podman> | undefined

/** Podman with both images, built from the committed Dockerfile in a checkout that was made under umask 077. */
function images(): Promise<Podman> {
  building ??= build()
  return building
}

async function build(): Promise<Podman> {
  const podman = requirePodman()
  await standInForNode(podman, BASE)
  const probe = ['run', '--rm', ...CONFINED, ...limited('128m'), `localhost/${BASE}`, 'node', '--version']
  const { code, stderr } = await podman.attempt(...probe)
  if (code !== 0) skipTest(`this machine cannot run a container: ${stderr.slice(-500)}`)
  const checkout = temporaryDirectory()
  for (const name of readFileSync(path.join(ROOT, '.dockerignore'), 'utf8').matchAll(/^!(.+)$/gmu))
    cpSync(path.join(ROOT, name[1]!), path.join(checkout, name[1]!), { recursive: true })
  for (const name of ['Dockerfile', '.dockerignore']) cpSync(path.join(ROOT, name), path.join(checkout, name))
  forRootOnly(checkout)
  await podman.build(checkout, WITH_REPORT, '--target=report')
  await podman.build(checkout, IMAGE)
  // Layers of earlier sources.
  await podman.attempt('image', 'prune', '--force', '--filter=until=24h')
  return podman
}

function forRootOnly(at: string): void {
  const isDirectory = statSync(at).isDirectory()
  chmodSync(at, isDirectory ? 0o700 : 0o600)
  if (isDirectory) for (const name of readdirSync(at)) forRootOnly(path.join(at, name))
}

/** A directory of builds that everybody may read, in a directory that everybody may enter. */
function buildsDirectory(): string {
  const directory = temporaryDirectory()
  chmodSync(directory, 0o755)
  const builds = path.join(directory, 'builds')
  mkdirSync(builds)
  return builds
}

interface Container {
  readonly name: string
  readonly url: string
  ready(): Promise<void>
  entries(): Promise<number>
  log(): Promise<string>
  /** Runs the image's own health check; returns its exit code. */
  health(): Promise<number>
  /** The exit code after the signal. */
  stop(signal: 'TERM' | 'KILL'): Promise<number>
  start(): Promise<void>
}

let containers = 0

async function watch(
  podman: Podman,
  options: { builds: string; state: string; memory?: string; args?: string[]; command?: string[] },
): Promise<Container> {
  const name = `audit-test-${process.pid}-${containers++}`
  const listen = `127.0.0.1:${await freePort()}`
  onTestFinished(async () => void (await podman.attempt('rm', '--force', '--volumes', name)))
  await podman.run(
    'run',
    '--detach',
    `--name=${name}`,
    // Ends a container that a killed test run has left.
    '--timeout=600',
    ...CONFINED,
    ...limited(options.memory ?? '128m'),
    `--env=AUDIT_LISTEN=${listen}`,
    `--volume=${options.builds}:/builds:ro`,
    `--volume=${options.state}:/var/lib/audit-trace-exporter`,
    ...(options.args ?? []),
    IMAGE,
    ...(options.command ?? []),
  )
  const url = `http://${listen}`
  const log = async (): Promise<string> => (await podman.attempt('logs', name)).stderr
  return {
    name,
    url,
    log,
    async ready() {
      try {
        await until('the container is ready', async () => (await fetch(`${url}/readyz`)).ok || undefined)
      } catch (error) {
        throw new Error(await log(), { cause: error })
      }
    },
    async entries() {
      const scrape = parseExposition(await (await fetch(`${url}/metrics`)).text())
      return [...scrape].reduce(
        (sum, [series, n]) => (series.startsWith('audit_entries_total{') ? sum + n : sum),
        0,
      )
    },
    health: async () => (await podman.attempt('healthcheck', 'run', name)).code,
    async stop(signal) {
      await podman.run('kill', '--signal', signal, name)
      return Number(await podman.run('wait', name))
    },
    start: async () => void (await podman.run('start', name)),
  }
}

test('the images are small, say what they are, and contain no shell', async () => {
  const podman = await images()
  const [image, withReport] = JSON.parse(await podman.run('image', 'inspect', IMAGE, WITH_REPORT)) as {
    Size: number
    Config: { User: string; Labels: Record<string, string> }
  }[]
  expect(image!.Size / 1e6).toBeLessThan(150)
  expect(withReport!.Size / 1e6).toBeLessThan(260)
  expect(image!.Config.User).toBe(`${EXPORTER}:${EXPORTER}`)
  expect(image!.Config.Labels).toMatchObject({
    'org.opencontainers.image.title': manifest.name,
    'org.opencontainers.image.version': manifest.version,
    'org.opencontainers.image.licenses': manifest.license,
  })
  expect((await podman.attempt('run', '--rm', '--entrypoint=/bin/sh', IMAGE, '-c', 'true')).code).toBe(127)
})

test('the image writes dashboards, rules and manifests for the labels of an installation', async () => {
  const podman = await images()
  const out = temporaryDirectory()
  chownSync(out, EXPORTER, EXPORTER)
  const args = ['assets', '--out', '/out', '--prometheus-selector', 'namespace="ci"']
  await podman.run('run', '--rm', ...CONFINED, `--volume=${out}:/out`, IMAGE, ...args)
  const board = 'grafana/dashboards/audit-overview.json'
  expect(readFileSync(path.join(out, board), 'utf8')).toBe(readFileSync(path.join(ROOT, board), 'utf8'))
  for (const file of ['prometheus/rules/alerts.yml', 'deploy/kubernetes/monitoring/prometheus-rule.yaml'])
    expect(readFileSync(path.join(out, file), 'utf8')).toContain('namespace="ci"')
  expect(readdirSync(path.join(out, 'deploy/kubernetes'))).toContain('sidecar')
})

test('in 128 MB, without capabilities and on a read-only root, it counts, is healthy, and ends with 0', async () => {
  const podman = await images()
  const builds = buildsDirectory()
  const corpus = await writeCorpus([path.join(builds, 'audit_trace.jsonl')], {
    seed: 1,
    size: { bytes: 20e6 },
    ...NINETY_DAYS,
  })
  const container = await watch(podman, { builds, state: `audit-test-${process.pid}` })
  onTestFinished(async () => void (await podman.attempt('volume', 'rm', `audit-test-${process.pid}`)))
  await container.ready()
  expect(await container.entries()).toBe(corpus.lines)
  expect(await container.health()).toBe(0)
  const pid = await podman.run('inspect', '--format', '{{.State.Pid}}', container.name)
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  expect(status).toMatch(new RegExp(`^Uid:\\s${EXPORTER}\\s${EXPORTER}`, 'mu'))
  expect(status).toMatch(/^CapEff:\s0+$/mu)
  expect(await container.stop('TERM')).toBe(0)
})

test('after kill -9 it continues with equal totals, and a health check that nothing answers fails', async () => {
  const podman = await images()
  const builds = buildsDirectory()
  const state = temporaryDirectory()
  chownSync(state, EXPORTER, EXPORTER)
  const trace = path.join(builds, 'audit_trace.jsonl')
  writeFileSync(
    trace,
    lines(...Array.from({ length: 100 }, (_, i) => entry({ workflow_run_id: `run-${i}` }))),
  )
  const container = await watch(podman, { builds, state })
  await container.ready()
  expect(await container.entries()).toBe(100)
  expect(await container.stop('KILL')).toBe(137)
  writeFileSync(trace, lines(entry({ workflow_run_id: 'later' })), { flag: 'a' })
  await container.start()
  await container.ready()
  await expect.poll(() => container.entries()).toBe(101)

  const elsewhere = await watch(podman, {
    builds,
    state: temporaryStateFor(EXPORTER),
    command: ['watch', '/builds', '--listen', `127.0.0.1:${await freePort()}`],
  })
  await until('it listens', async () => (await elsewhere.log()).includes('listening') || undefined)
  expect(await elsewhere.health()).toBe(1)
})

function temporaryStateFor(uid: number): string {
  const state = temporaryDirectory()
  chownSync(state, uid, uid)
  return state
}

test('a state directory of somebody else is refused by name, and works with their user or a group', async () => {
  const podman = await images()
  const builds = buildsDirectory()
  writeFileSync(path.join(builds, 'audit_trace.jsonl'), lines(entry()))
  const state = temporaryStateFor(4321)

  const refused = await watch(podman, { builds, state })
  expect(Number(await podman.run('wait', refused.name))).toBe(1)
  expect(await refused.log()).toContain('Make /var/lib/audit-trace-exporter writable for user 1000')

  const asOwner = await watch(podman, { builds, state, args: ['--user=4321:4321'] })
  await asOwner.ready()
  expect(await asOwner.stop('TERM')).toBe(0)

  const shared = temporaryStateFor(4321)
  chmodSync(shared, 0o770)
  const byGroup = await watch(podman, { builds, state: shared, args: ['--group-add=4321'] })
  await byGroup.ready()
  expect(await byGroup.entries()).toBe(1)
})

test('10,000 files in 256 MB: it catches up, and report writes its report or says how much memory it needs', async () => {
  const podman = await images()
  const builds = buildsDirectory()
  const files = Array.from({ length: 10_000 }, (_, i) => path.join(builds, String(i), 'audit_trace.jsonl'))
  const corpus = await writeCorpus(files, {
    seed: 1,
    size: { bytes: 20e6 },
    ...NINETY_DAYS,
  })
  const container = await watch(podman, { builds, state: temporaryStateFor(EXPORTER), memory: '256m' })
  await container.ready()
  expect(await container.entries()).toBe(corpus.lines)
  expect(await container.stop('TERM')).toBe(0)

  const report = (image: string, memory: string, directory = builds) =>
    podman.attempt(
      'run',
      '--rm',
      ...CONFINED,
      ...limited(memory),
      `--volume=${directory}:/builds:ro`,
      image,
      'report',
      '/builds',
      '--format=json',
    )
  const made = await report(WITH_REPORT, '256m')
  expect(made.code, made.stderr).toBe(0)
  expect(JSON.parse(made.stdout)).toMatchObject({ input: { entries: corpus.lines } })
  // One file with as many entries is read sooner.
  const single = buildsDirectory()
  await writeCorpus([path.join(single, 'audit_trace.jsonl')], {
    seed: 1,
    size: { bytes: 20e6 },
    ...NINETY_DAYS,
  })
  const refused = await report(WITH_REPORT, '128m', single)
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/entries need about \d+ MiB of memory, and this process may use 128 MiB/u)
  const without = await report(IMAGE, '256m')
  expect(without.code).toBe(1)
  expect(without.stderr).toContain('--target report')
})
