import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startDaemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { parseExposition } from '../setup/exposition.ts'
import { requireNode } from '../setup/node-release.ts'
import { copyWith, install, packed, type PackageName } from '../setup/packages.ts'
import { requireProgram } from '../setup/programs.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const TEMPORAL = ['activity', 'client', 'common', 'worker', 'workflow'].map((name) => `@temporalio/${name}`)
/** The oldest version that is supported, and one that is not and cannot `require` ES modules. */
const OLDEST = '22.13.0'
const TOO_OLD = '18.20.8'

const directory = mkdtempSync(path.join(tmpdir(), 'packages-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** What somebody has who installs one package and nothing else. */
const writer = path.join(directory, 'writer')
const watcher = path.join(directory, 'watcher')
/** The exporter with what somebody needs for `report`, and for Temporal. */
const reporter = path.join(directory, 'reporter')
const workers: Record<PackageName, string> = {
  'audit-trace-capture': path.join(directory, 'capture-worker'),
  'audit-trace-exporter': path.join(directory, 'exporter-worker'),
}

beforeAll(async () => {
  const { 'audit-trace-capture': capture, 'audit-trace-exporter': exporter } = await packed()
  install(writer, [capture])
  install(watcher, [exporter])
  copyWith(watcher, reporter, ['@duckdb/node-api'])
  copyWith(writer, workers['audit-trace-capture'], [...TEMPORAL, 'protobufjs'])
  copyWith(watcher, workers['audit-trace-exporter'], [...TEMPORAL, 'protobufjs'])
})

/** The installed program. */
const main = (user: string): string => path.join(user, 'node_modules/audit-trace-exporter/dist/main.js')

interface Run {
  readonly stdout: string
  readonly stderr: string
  readonly status: number | null
}

function run(user: string, args: readonly string[], node = process.execPath): Run {
  const { stdout, stderr, status } = spawnSync(node, args, { cwd: user, encoding: 'utf8' })
  return { stdout, stderr, status }
}

/** Runs a program with what it prints; throws if it fails. */
const output = (user: string, ...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: user, encoding: 'utf8' })

/** Runs JavaScript as a user's file: an ES module, or CommonJS. */
function runCode(user: string, kind: 'mjs' | 'cjs', code: string, node?: string): Run {
  const file = `code.${kind}`
  writeFileSync(path.join(user, file), code)
  return run(user, [file], node)
}

/** Size of all files below a directory. */
function bytesBelow(of: string): number {
  const files = readdirSync(of, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return files.reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0)
}

interface Lockfile {
  readonly packages: Record<string, { readonly hasInstallScript?: boolean; readonly peer?: boolean }>
}

test.each([
  ['audit-trace-capture', writer, 2, []],
  ['audit-trace-exporter', watcher, 10, ['audit-trace-exporter']],
] as const)(
  '%s installs one package, without scripts and without a program named node',
  (name, user, mb, programs) => {
    const modules = path.join(user, 'node_modules')
    const { packages } = JSON.parse(
      readFileSync(path.join(modules, '.package-lock.json'), 'utf8'),
    ) as Lockfile
    expect(Object.keys(packages)).toEqual([`node_modules/${name}`])
    expect(Object.values(packages).filter(({ hasInstallScript }) => hasInstallScript)).toEqual([])
    const bin = path.join(modules, '.bin')
    expect(readdirSync(modules).includes('.bin') ? readdirSync(bin) : []).toEqual(programs)
    expect(bytesBelow(modules) / 1e6).toBeLessThan(mb)
  },
)

test('each package names the license of what it contains, and of nothing else', () => {
  const licenses = (user: string, name: PackageName): string =>
    readFileSync(path.join(user, 'node_modules', name, 'THIRD-PARTY-LICENSES.txt'), 'utf8')
  const named = /^(\S+) \d+\.\d+\.\d+\S* \(/gmu
  const captured = [...licenses(writer, 'audit-trace-capture').matchAll(named)].map(([, name]) => name)
  expect(captured).toEqual(['zod'])
  const exported = [...licenses(watcher, 'audit-trace-exporter').matchAll(named)].map(([, name]) => name)
  for (const name of ['echarts', 'zrender', 'pino', 'commander', 'zod', '@opentelemetry/sdk-metrics'])
    expect(exported).toContain(name)
})

const LOG = `logAuditEntry('.', { workflow_run_id: 'run-1', step_name: 'implement' })`

describe.each([
  ['audit-trace-capture', writer],
  ['audit-trace-exporter/capture', watcher],
])('%s', (specifier, user) => {
  const written = (): unknown[] => {
    const file = path.join(user, 'audit_trace.jsonl')
    const text = readFileSync(file, 'utf8')
    rmSync(file)
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown)
  }

  test.each([
    ['import', 'mjs', `import { logAuditEntry } from '${specifier}'\nconsole.log(await ${LOG})`],
    ['require', 'cjs', `const { logAuditEntry } = require('${specifier}')\n${LOG}.then(console.log)`],
  ] as const)('%s: writes a line on the oldest Node.js, and warns of nothing', async (_, kind, code) => {
    expect(runCode(user, kind, code, await requireNode(OLDEST))).toEqual({
      stdout: 'undefined\n',
      stderr: '',
      status: 0,
    })
    expect(written()).toEqual([expect.objectContaining({ workflow_run_id: 'run-1', step_name: 'implement' })])
  })
})

const TOO_OLD_SENTENCE = `need Node.js 22.13 or newer, and this is Node.js ${TOO_OLD} (`

test.each([
  [writer, 'audit-trace-capture'],
  [watcher, 'audit-trace-exporter/capture'],
  [watcher, 'audit-trace-exporter'],
])('on an older Node.js one sentence says so, before anything else fails: %s %s', async (user, specifier) => {
  const node = await requireNode(TOO_OLD)
  for (const ended of [
    runCode(user, 'mjs', `import '${specifier}'`, node),
    runCode(user, 'cjs', `require('${specifier}')`, node),
  ]) {
    expect(ended.status).toBe(1)
    expect(ended.stderr.match(/^\w*Error.*$/gmu)).toEqual([
      expect.stringMatching(/^Error: audit-trace-capture and audit-trace-exporter need Node\.js 22\.13/u),
    ])
    expect(ended.stderr).toContain(TOO_OLD_SENTENCE)
  }
})

test('on an older Node.js the program says one sentence, and nothing else', async () => {
  const ended = run(watcher, [main(watcher), 'watch', '.'], await requireNode(TOO_OLD))
  expect([ended.status, ended.stdout]).toEqual([1, ''])
  expect(ended.stderr).toMatch(/^error: [^\n]+\n$/u)
  expect(ended.stderr).toContain(TOO_OLD_SENTENCE)
})

/** The sum of all series of a metric. */
const total = (scrape: ReadonlyMap<string, number>, metric: string): number =>
  [...scrape].reduce((sum, [series, value]) => (series.startsWith(`${metric}{`) ? sum + value : sum), 0)

function writeBuilds(user: string): string {
  const builds = path.join(user, 'builds')
  mkdirSync(builds, { recursive: true })
  writeFileSync(path.join(builds, 'audit_trace.jsonl'), lines(entry(), entry({ step_name: 'verify_v1' })))
  return builds
}

/** Preloaded by Node.js: prints the URL of each module that is loaded. */
const PRINT_LOADED = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module'
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) process.stderr.write('loaded ' + url + '\\n')
      return next(url, context)
    },
  })`)}`

const CONTENT = {
  echarts: 'node_modules/echarts/',
  jstat: 'node_modules/jstat/',
  'pino-pretty': 'node_modules/pino-pretty/',
  yaml: 'node_modules/yaml/',
  bcryptjs: 'node_modules/bcryptjs/',
  DuckDB: 'src/audits/database.ts',
  'the report': 'src/audits/report.ts',
  'the dashboards': 'grafana/boards/',
  // Not the sentence that says how to install it.
  Temporal: 'from "@temporalio/',
}

test('the packed program counts a trace, and loads only what its command needs', async () => {
  const daemon = await startDaemon({
    roots: [writeBuilds(watcher)],
    state: path.join(watcher, 'state'),
    program: ['--import', PRINT_LOADED, main(watcher)],
  })
  await daemon.ready()
  expect(total(await daemon.scrape(), 'audit_entries_total')).toBe(2)
  expect(await daemon.stop()).toBe(0)
  const loaded = [...daemon.output().matchAll(/^loaded (.*)$/gmu)].map(([, url]) =>
    readFileSync(fileURLToPath(url!), 'utf8'),
  )
  expect(loaded.length).toBeGreaterThan(5)
  const found = Object.entries(CONTENT).filter(([, text]) => loaded.some((code) => code.includes(text)))
  expect(found.map(([name]) => name)).toEqual([])
})

test('on the oldest Node.js the packed program counts, continues its state, and warns of nothing', async () => {
  const node = await requireNode(OLDEST)
  const roots = [writeBuilds(watcher)]
  const state = path.join(watcher, 'state-of-the-oldest')
  for (const entries of [2, 3]) {
    const daemon = await startDaemon({ roots, state, program: [main(watcher)], node })
    await daemon.ready()
    expect(total(await daemon.scrape(), 'audit_entries_total')).toBe(entries)
    expect(await daemon.stop()).toBe(0)
    expect(daemon.output()).not.toMatch(/Warning/u)
    writeFileSync(path.join(roots[0]!, 'audit_trace.jsonl'), lines(entry()), { flag: 'a' })
  }
})

const START = `startExporter({ paths: ['builds'], listen: '127.0.0.1:0', state: 'state-of-code', log })
  .then(async (exporter) => {
    await exporter.ready
    const { status } = await fetch(exporter.url + '/metrics')
    const body = await (await fetch(exporter.url + '/metrics')).text()
    await exporter.stop()
    const refused = await fetch(exporter.url).then(() => false, () => true)
    console.log(JSON.stringify({ status, refused, body }))
  })`
const SILENT = `const log = { debug() {}, info() {}, warn() {}, error() {} }`

test.each([
  ['import', 'mjs', `import { startExporter } from 'audit-trace-exporter'\n${SILENT}\nawait ${START}`],
  ['require', 'cjs', `const { startExporter } = require('audit-trace-exporter')\n${SILENT}\n${START}`],
] as const)(
  '%s: the exporter starts from code on the oldest Node.js, tells its address, counts and stops',
  async (_, kind, code) => {
    writeBuilds(watcher)
    rmSync(path.join(watcher, 'state-of-code'), { recursive: true, force: true })
    const ended = runCode(watcher, kind, code, await requireNode(OLDEST))
    expect([ended.stderr, ended.status]).toEqual(['', 0])
    const { status, refused, body } = JSON.parse(ended.stdout) as {
      status: number
      refused: boolean
      body: string
    }
    expect([status, refused]).toEqual([200, true])
    expect(total(parseExposition(body), 'audit_entries_total')).toBe(2)
  },
)

test.each(['watch', 'check', 'backfill', 'report', 'demo', 'simulate', 'worker', 'assets'])(
  'the packed program explains %s',
  (command) => {
    expect(output(watcher, main(watcher), command, '--help')).toContain(`audit-trace-exporter ${command}`)
  },
)

test('the packed program writes a report as a page, with charts, once DuckDB is installed', () => {
  const program = main(reporter)
  output(reporter, program, 'simulate', 'builds', '--builds', '8', '--speed', '100000', '--seed', '1')
  output(reporter, program, 'report', 'builds', '--format', 'html', '--out', 'report.html')
  expect(readFileSync(path.join(reporter, 'report.html'), 'utf8')).toContain('<svg')
})

test('without DuckDB, report says in one sentence what to install', () => {
  const { stderr, status } = run(watcher, [main(watcher), 'report', 'builds'])
  const [fatal] = stderr.trimEnd().split('\n')
  expect([status, (JSON.parse(fatal ?? '') as { msg: string }).msg]).toEqual([
    1,
    expect.stringMatching(/^report and --rows need [^.]*npm install @duckdb\/node-api[^.]*\.$/u),
  ])
})

test('the packed program writes the committed dashboards, rules, alerts and manifests, and rules with another selector', () => {
  output(watcher, main(watcher), 'assets', '--out', 'assets')
  const written = readdirSync(path.join(watcher, 'assets'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(watcher, 'assets'), path.join(entry.parentPath, entry.name)))
  expect(written).toEqual(
    expect.arrayContaining([
      'grafana/dashboards/audit-overview.json',
      'prometheus/rules/alerts.yml',
      'deploy/kubernetes/daemonset/daemon-set.yaml',
      'deploy/kubernetes/monitoring/prometheus-rule.yaml',
      'docs/runbook.md',
    ]),
  )
  for (const name of written)
    expect(readFileSync(path.join(watcher, 'assets', name), 'utf8'), name).toBe(
      readFileSync(path.join(ROOT, name), 'utf8'),
    )
  const selector = 'namespace="ci",job=~"a.*"'
  output(watcher, main(watcher), 'assets', '--out', 'ci', '--prometheus-selector', selector)
  const rules = ['revisions', 'recording', 'alerts'].map((name) => `ci/prometheus/rules/${name}.yml`)
  const check = ['check', 'rules', ...rules]
  const checked = execFileSync(requireProgram('promtool'), check, { cwd: watcher, encoding: 'utf8' })
  expect(checked.match(/SUCCESS/gu)).toHaveLength(rules.length)
  expect(readFileSync(path.join(watcher, rules[0]!), 'utf8')).toContain(selector)
})

test.each(Object.entries(workers))(
  '%s: a Temporal worker bundles the packed workflows, and replays a recorded build of three fixes with them',
  (name, user) => {
    const recorded = path.join(ROOT, 'test/golden/audited-build.history.json')
    const { stdout, stderr } = runCode(
      user,
      'mjs',
      `import { readFileSync } from 'node:fs'
       import { bundleWorkflowCode, Worker } from '@temporalio/worker'
       import { workflowsPath, createAuditedBuildActivities } from '${name}/temporal'
       const workflowBundle = await bundleWorkflowCode({ workflowsPath })
       await Worker.runReplayHistory({ workflowBundle }, JSON.parse(readFileSync('${recorded}', 'utf8')))
       createAuditedBuildActivities({ env: process.env })
       console.log(workflowBundle.code.includes('OptimizationWorkflow'))`,
    )
    expect(stdout.trim().split('\n').at(-1), stderr).toBe('true')
  },
)
