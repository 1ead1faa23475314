import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toolsDir } from '../setup/package-project.ts'
import { addPackages, copyWith, install, packed } from '../setup/packages.ts'

const TEMPORAL = ['activity', 'client', 'common', 'worker', 'workflow'].map((name) => `@temporalio/${name}`)

const directory = mkdtempSync(path.join(tmpdir(), 'types-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** A project that has both packages and the types of Node.js; another one that has the packages of Temporal, too. */
const plain = path.join(directory, 'plain')
const withTemporal = path.join(directory, 'with-temporal')

beforeAll(async () => {
  const tarballs = Object.values(await packed())
  install(plain, tarballs)
  copyWith(plain, withTemporal, ['@types/node', ...TEMPORAL])
  addPackages(plain, ['@types/node'])
})

/** `import` and `require` of the same names, as the two kinds of files write them. */
const imports = {
  import: (names: string, from: string): string => `import { ${names} } from '${from}'\n`,
  require: (names: string, from: string): string => {
    const alias = from.replaceAll(/\W/gu, '_')
    const declared = names
      .split(', ')
      .map((name) =>
        name.startsWith('type ')
          ? `type ${name.slice(5)} = ${alias}.${name.slice(5)}`
          : `const ${name} = ${alias}.${name}`,
      )
    return `import ${alias} = require('${from}')\n${declared.join('\n')}\n`
  },
}
type Style = keyof typeof imports
type Imports = (names: string, from: string) => string

const user = (write: Imports): string => `
${write('appendAuditEntry, logAuditEntry, estimateTokens, type LoggedEntry, type OptimizationLogEntry', 'audit-trace-capture')}
${write('TRACE_FILE_NAME, type CapturedEntry', 'audit-trace-exporter/capture')}
${write('startExporter, type Exporter, type ExporterOptions, type Log', 'audit-trace-exporter')}
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

export const log: (workingDir: string, entry: OptimizationLogEntry) => Promise<void> = logAuditEntry
export const nothing: Same<ReturnType<typeof logAuditEntry>, Promise<void>> = true
export const logged: Promise<LoggedEntry> = appendAuditEntry('.', { workflow_run_id: 'r', step_name: 's' })
export const captured: Promise<CapturedEntry> = logged.then(({ entry }) => entry)
export const line: OptimizationLogEntry = { workflow_run_id: 'r', step_name: 's', timestamp: 't', validation_status: 'pass' }
export const tokens: number = estimateTokens(TRACE_FILE_NAME)
// @ts-expect-error: a number is no run id
export const wrong: OptimizationLogEntry = { workflow_run_id: 1, step_name: 's', timestamp: 't' }
// @ts-expect-error: no status
export const unknown: OptimizationLogEntry = { ...line, validation_status: 'PASS' }

const own: Log = console.constructor.prototype as never
const options: ExporterOptions = { paths: ['/builds'], listen: ':0', baseline: 'none', log: own, env: process.env }
export const address: Promise<string> = startExporter(options).then(async (exporter: Exporter) => {
  await exporter.ready
  await exporter.stop()
  return exporter.url
})
// @ts-expect-error: it is called paths
void startExporter({ path: '/builds' })
`

const temporalUser = (write: Imports): string => `
${write('createAuditWorker, createAuditedBuildActivities, workflowsPath, type AuditedBuildInput', 'audit-trace-capture/temporal')}
${write('renderReport, createOptimizationActivities', 'audit-trace-exporter/temporal')}
${write('AuditedBuildWorkflow', 'audit-trace-capture/temporal/workflows')}
${write('choosePromptVersion', 'audit-trace-capture/prompts')}
${write('OptimizationWorkflow', 'audit-trace-exporter/temporal/workflows')}
export const chosen: string = choosePromptVersion('run', [{ version: 'a' }]).assignment
export const used: unknown[] = [createAuditWorker, workflowsPath.length, OptimizationWorkflow]
export const activities = {
  ...createAuditedBuildActivities({ env: process.env }),
  ...createOptimizationActivities({ renderReport }),
}
export const workflow: (input: AuditedBuildInput) => Promise<{ totalTokens: number }> = AuditedBuildWorkflow
// @ts-expect-error: it needs more than a name
void AuditedBuildWorkflow({ packageName: 'sum' })
`

/** How projects are compiled: flags of tsc, and their files with the way in which each imports. */
const COMPILED: readonly (readonly [string, readonly string[], Readonly<Record<string, Style>>])[] = [
  ['node16', ['--module', 'node16'], { 'es.mts': 'import', 'mixed.cts': 'import', 'common.cts': 'require' }],
  ['nodenext', ['--module', 'nodenext'], { 'es.mts': 'import', 'common.cts': 'require' }],
  ['bundler, ES modules', ['--module', 'esnext', '--moduleResolution', 'bundler'], { 'es.ts': 'import' }],
  [
    'bundler, CommonJS',
    ['--module', 'preserve', '--moduleResolution', 'bundler'],
    { 'common.cts': 'require' },
  ],
]

const STRICT = [
  '--noEmit',
  '--strict',
  '--exactOptionalPropertyTypes',
  '--noUncheckedIndexedAccess',
  '--target',
  'es2022',
  '--types',
  'node',
]

/** What tsc says about a user's files and our packages; types of packages are checked, too. */
function faults(
  project: string,
  flags: readonly string[],
  files: Readonly<Record<string, Style>>,
  write: (imports: Imports) => string,
): string[] {
  for (const [file, style] of Object.entries(files))
    writeFileSync(path.join(project, file), write(imports[style]))
  const args = [...STRICT, ...flags, ...Object.keys(files)]
  const { stdout, stderr, status } = spawnSync(path.join(toolsDir, 'tsc'), args, {
    cwd: project,
    encoding: 'utf8',
  })
  if (status === null) throw new Error(stderr)
  return stdout.split('\n').filter((line) => /^(?:\w+\.[cm]?ts|error|node_modules\/audit-trace-)/u.test(line))
}

test.each(COMPILED)('the types are right in a strict project: %s', (_, flags, files) => {
  expect(faults(plain, flags, files, user)).toEqual([])
})

// Temporal's own types import a package that has none, so only faults in ours count.
test.each([COMPILED[1]!, COMPILED[2]!])(
  'the types are right beside the packages of Temporal: %s',
  (_, flags, files) => {
    expect(faults(withTemporal, flags, files, temporalUser)).toEqual([])
  },
)
