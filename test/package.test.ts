import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import { startDaemon } from './setup/daemon.ts'
import { entry, lines } from './setup/entries.ts'
import { installPackage, packProject } from './setup/package.ts'
import { toolsDir } from './setup/package-project.ts'
import { requireProgram } from './setup/programs.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'package-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const DEPENDENCIES = Object.keys(manifest.dependencies)
const PEERS = Object.keys(manifest.peerDependencies)
/** What somebody has who installs the package without its optional packages. */
const plain = path.join(directory, 'plain')
const withDuckDb = path.join(directory, 'with-duckdb')
/** What somebody has who runs Temporal workers. */
const withPeers = path.join(directory, 'with-peers')

beforeAll(() => {
  const archive = packProject(directory)
  installPackage(archive, plain, DEPENDENCIES)
  installPackage(archive, withDuckDb, [...DEPENDENCIES, '@duckdb/node-api'])
  installPackage(archive, withPeers, [...DEPENDENCIES, ...PEERS, '@types/node'])
  for (const user of [plain, withPeers])
    writeFileSync(path.join(user, 'package.json'), '{ "type": "module" }')
})

/** The sum of all series of a metric. */
const total = (scrape: ReadonlyMap<string, number>, metric: string): number =>
  [...scrape].reduce((sum, [series, value]) => (series.startsWith(`${metric}{`) ? sum + value : sum), 0)

const main = (directory: string): string =>
  path.join(directory, 'node_modules/audit-trace-exporter', manifest.bin['audit-trace-exporter'])

function run(directory: string, ...args: string[]): string {
  return execFileSync(process.execPath, args, { cwd: directory, encoding: 'utf8' })
}

/** Runs JavaScript as a user's module; returns what it prints. */
function runModule(directory: string, code: string): string {
  writeFileSync(path.join(directory, 'module.js'), code)
  return run(directory, 'module.js')
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
  Temporal: '@temporalio/',
}

test('the packed program counts a trace, and loads only what its command needs', async () => {
  const builds = path.join(plain, 'builds')
  mkdirSync(builds)
  writeFileSync(path.join(builds, 'audit_trace.jsonl'), lines(entry(), entry({ step_name: 'verify_v1' })))
  const daemon = await startDaemon({
    roots: [builds],
    state: path.join(plain, 'state'),
    program: ['--import', PRINT_LOADED, main(plain)],
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

test.each(['watch', 'check', 'backfill', 'report', 'demo', 'simulate', 'worker', 'assets'])(
  'the packed program explains %s',
  (command) => {
    expect(run(plain, main(plain), command, '--help')).toContain(`audit-trace-exporter ${command}`)
  },
)

test('the packed program writes a report as a page, with charts, once DuckDB is installed', () => {
  const program = main(withDuckDb)
  run(withDuckDb, program, 'simulate', 'builds', '--builds', '8', '--speed', '100000', '--seed', '1')
  run(withDuckDb, program, 'report', 'builds', '--format', 'html', '--out', 'report.html')
  expect(readFileSync(path.join(withDuckDb, 'report.html'), 'utf8')).toContain('<svg')
})

test('the packed program writes the committed dashboards, rules, alerts and manifests, and rules with another selector', () => {
  const root = path.resolve(import.meta.dirname, '..')
  run(plain, main(plain), 'assets', '--out', 'assets')
  const written = readdirSync(path.join(plain, 'assets'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(plain, 'assets'), path.join(entry.parentPath, entry.name)))
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
    expect(readFileSync(path.join(plain, 'assets', name), 'utf8'), name).toBe(
      readFileSync(path.join(root, name), 'utf8'),
    )
  run(plain, main(plain), 'assets', '--out', 'ci', '--prometheus-selector', 'namespace="ci",job=~"a.*"')
  const rules = ['revisions', 'recording', 'alerts'].map((name) => `ci/prometheus/rules/${name}.yml`)
  const checked = execFileSync(requireProgram('promtool'), ['check', 'rules', ...rules], {
    cwd: plain,
    encoding: 'utf8',
  })
  expect(checked.match(/SUCCESS/gu)).toHaveLength(rules.length)
  expect(readFileSync(path.join(plain, rules[0]!), 'utf8')).toContain('namespace="ci",job=~"a.*"')
})

test('without DuckDB, report says what to install', () => {
  expect(() => run(plain, main(plain), 'report', 'builds')).toThrow(/npm install @duckdb\/node-api/u)
})

test('the entry points have types that compile without any package beyond the dependencies and peers', () => {
  writeFileSync(
    path.join(withPeers, 'user.ts'),
    `import { logAuditEntry, type OptimizationLogEntry } from 'audit-trace-exporter/capture'
import { createAuditWorker, workflowsPath } from 'audit-trace-exporter/temporal'
import { AuditedBuildWorkflow } from 'audit-trace-exporter/temporal/workflows'
const line: OptimizationLogEntry = { workflow_run_id: 'r', step_name: 's', timestamp: 't' }
export const used: unknown[] = [logAuditEntry, createAuditWorker, workflowsPath.length, AuditedBuildWorkflow, line]
// @ts-expect-error: a number is no run id
export const wrong: OptimizationLogEntry = { workflow_run_id: 1, step_name: 's', timestamp: 't' }
`,
  )
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node']
  const { stdout } = spawnSync(path.join(toolsDir, 'tsc'), [...flags, 'user.ts'], {
    cwd: withPeers,
    encoding: 'utf8',
  })
  // Temporal's own types import a package without types.
  const own = stdout
    .split('\n')
    .filter((line) => /^(?:user|node_modules\/audit-trace-exporter)\b/u.test(line))
  expect(own).toEqual([])
})

test('capture writes a line with nothing else installed', () => {
  const printed = runModule(
    plain,
    `import { logAuditEntry } from 'audit-trace-exporter/capture'
     const { file } = await logAuditEntry('.', { workflow_run_id: 'run-1', step_name: 'implement' })
     console.log(file)`,
  )
  const written = readFileSync(path.join(plain, printed.trim()), 'utf8')
  expect(JSON.parse(written)).toMatchObject({ workflow_run_id: 'run-1', step_name: 'implement' })
})

test('a Temporal worker bundles the packed workflows, and replays a recorded build of three fixes with them', () => {
  const recorded = path.join(import.meta.dirname, 'golden/audited-build.history.json')
  const printed = runModule(
    withPeers,
    `import { readFileSync } from 'node:fs'
     import { bundleWorkflowCode, Worker } from '@temporalio/worker'
     import { workflowsPath } from 'audit-trace-exporter/temporal'
     const workflowBundle = await bundleWorkflowCode({ workflowsPath })
     await Worker.runReplayHistory({ workflowBundle }, JSON.parse(readFileSync('${recorded}', 'utf8')))
     console.log(workflowBundle.code.includes('OptimizationWorkflow'))`,
  )
  expect(printed.trim().split('\n').at(-1)).toBe('true')
})

test('the package names the license of each bundled package', () => {
  const text = readFileSync(
    path.join(plain, 'node_modules/audit-trace-exporter/dist/THIRD-PARTY-LICENSES.txt'),
    'utf8',
  )
  for (const name of ['echarts', 'zrender', 'pino', 'commander', 'zod', '@opentelemetry/sdk-metrics'])
    expect(text).toMatch(new RegExp(`^${name} \\d`, 'mu'))
})
