import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestWorkflowEnvironment } from '@temporalio/testing'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { AuditedBuildWorkflow } from '../src/capture/temporal/audited-build.ts'
import { startDaemon, type Daemon } from '../test/setup/daemon.ts'
import { createFakeGeminiApi } from '../test/setup/fake-gemini-api.ts'
import { geminiEnvironment } from '../test/setup/gemini-environment.ts'
import { buildGoProgram } from '../test/setup/go-build.ts'
import { brokenSources, packageFiles, toolsDir } from '../test/setup/package-project.ts'
import { start, until } from '../test/setup/process.ts'
import { startTemporalServer } from '../test/setup/temporal-server.ts'
import { scriptedAgent } from '../test/setup/scripted-agent.ts'
import { exampleInput } from './input.ts'

// One complete audited build with the real Temporal server, worker, Gemini CLI, npm, tsc, eslint and node:test, watched
// by the daemon. With GEMINI_API_KEY the model is real too; without it a local script answers in its place.

const MODEL = process.env['GEMINI_MODEL'] ?? 'gemini-2.5-flash'
const MAIN = path.resolve(import.meta.dirname, '../src/main.ts')
const say = (text: string): void => console.log(text)

const dir = mkdtempSync(path.join(tmpdir(), 'audit-example-'))
const builds = path.join(dir, 'builds')
mkdirSync(builds)
const endings: (() => Promise<unknown>)[] = []

try {
  const env = await modelEnvironment()
  const temporal = await startTemporal()
  const daemon = await startDaemon({
    roots: [builds],
    state: path.join(dir, 'state'),
    // Nothing else scrapes here, so a new series need not be held at zero.
    args: ['--new-series-hold', '1s'],
  })
  endings.push(() => daemon.stop())
  await daemon.ready()
  say(`The daemon watches ${builds} and serves ${daemon.url}/metrics`)
  const worker = start(process.execPath, [MAIN, 'worker', '--address', temporal.address], env)
  endings.push(() => worker.stop())
  const trace = await build(temporal, worker.output)
  say(`\nThe trace, ${trace}:\n`)
  say(readFileSync(trace, 'utf8').trimEnd())
  say('\nThe build on /metrics:\n')
  say(await metricsOfTheBuild(daemon))
  say(`\nEverything is in ${dir}. Check the trace: npm start -- check ${builds}`)
} finally {
  for (const end of endings.toReversed()) await end()
}

/** Returns the environment for the CLI and the checks. */
async function modelEnvironment(): Promise<NodeJS.ProcessEnv> {
  const PATH = `${toolsDir}:${String(process.env['PATH'])}`
  if (process.env['GEMINI_API_KEY']) {
    say(`The model is ${MODEL} (Google's API). The calls are billed to your key.`)
    return { PATH }
  }
  say(
    'NOTICE: GEMINI_API_KEY is not set. The Gemini CLI is real, but a local script answers in place of the model.',
  )
  say('The code that it answers with is prepared and contains one mistake; its token counts are invented.')
  const api = await createFakeGeminiApi(
    scriptedAgent([brokenSources.ESLINT_ERROR_EQEQEQ, packageFiles['src/sum.js'] ?? '']),
  )
  endings.push(() => api.close())
  return { ...geminiEnvironment(dir, api.url), PATH }
}

async function startTemporal(): Promise<TestWorkflowEnvironment> {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
  const built = await buildGoProgram('temporal', () => 'go').catch(() => undefined)
  const executable =
    built === undefined
      ? { type: 'cached-download' as const }
      : { type: 'existing-path' as const, path: built }
  const temporal = await startTemporalServer({ executable })
  endings.push(() => temporal.teardown())
  say(`The Temporal server listens on ${temporal.address}`)
  return temporal
}

/** Runs the build until it ends; returns the path of its trace. */
async function build(temporal: TestWorkflowEnvironment, workerLog: () => string): Promise<string> {
  const handle = await temporal.client.workflow.start<typeof AuditedBuildWorkflow>('AuditedBuildWorkflow', {
    workflowId: 'example-build',
    taskQueue: 'audited-builds',
    args: [exampleInput({ workspaceRoot: builds, model: MODEL })],
  })
  say(`Building, as workflow ${handle.workflowId}, run ${handle.firstExecutionRunId} …`)
  try {
    const result = await handle.result()
    const fixes = `${String(result.fixAttempts)} fix${result.fixAttempts === 1 ? '' : 'es'}`
    say(`The build has passed (${result.outcome}, ${fixes}, ${String(result.totalTokens)} tokens).`)
  } catch (error) {
    say(`The build has failed: ${String((error as Error).cause ?? error)}\n${workerLog()}`)
    process.exitCode = 1
  }
  return path.join(builds, 'sum', handle.firstExecutionRunId, 'audit_trace.jsonl')
}

async function metricsOfTheBuild(daemon: Daemon): Promise<string> {
  await until('the build is on /metrics', async () => {
    const samples = [...(await daemon.scrape())]
    return samples.find(([series, value]) => series.startsWith('audit_builds_total{') && value === 1)
  })
  const text = await (await fetch(`${daemon.url}/metrics`)).text()
  const shown =
    /^audit_(entries|tokens|prompt_tokens|builds|build_tokens|rework\w+|instruction\w+|cost_usd)_total/
  return text
    .split('\n')
    .filter((line) => shown.test(line) && !line.endsWith(' 0'))
    .join('\n')
}
