import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { choosePromptVersion } from '../../src/capture/agent/choose-prompt-version.ts'
import { createFakeGeminiApi } from '../setup/fake-gemini-api.ts'
import { geminiEnvironment } from '../setup/gemini-environment.ts'
import { brokenSources, packageFiles } from '../setup/package-project.ts'
import { start, until, type Started } from '../setup/process.ts'
import { scriptedAgent } from '../setup/scripted-agent.ts'
import { startTemporal } from '../setup/temporal.ts'

const exitCode = async ({ child }: Started): Promise<unknown> => (await once(child, 'close'))[0]
const script = (name: string): string => path.resolve(import.meta.dirname, '../../example', name)

test('the example worker and client build a package with a Temporal server and the real Gemini CLI', async () => {
  const temporal = await startTemporal()
  const api = await createFakeGeminiApi(
    scriptedAgent([brokenSources.ESLINT_ERROR_EQEQEQ, packageFiles['src/sum.js'] ?? '']),
  )
  const dir = mkdtempSync(path.join(tmpdir(), 'audit-example-test-'))
  const env = { ...geminiEnvironment(dir, api.url), TEMPORAL_ADDRESS: temporal.address }
  const worker = start(process.execPath, [script('worker.ts')], env)
  try {
    await until('the worker polls', () => worker.output().includes('The worker polls') || undefined)
    const client = start(process.execPath, [script('client.ts'), '--builds', dir], env)
    expect(await exitCode(client), `${client.output()}\n${worker.output()}`).toBe(0)
    expect(client.output()).toContain('The build has passed: after_rework, fixes: 1')
    const [run = ''] = readdirSync(path.join(dir, 'sum'))
    const trace = path.join(dir, 'sum', run, 'audit_trace.jsonl')
    expect(client.output()).toContain(trace)
    const fix = readFileSync(trace, 'utf8')
      .split('\n')
      .find((line) => line.includes('"fix_attempt_1"'))
    const { version, assignment } = choosePromptVersion(run, [{ version: 'fix-1' }, { version: 'fix-2' }])
    expect(JSON.parse(fix ?? '{}')).toMatchObject({
      instruction_version: version,
      instruction_assignment: assignment,
    })
  } finally {
    await worker.stop()
    await api.close()
    await temporal.teardown()
    rmSync(dir, { recursive: true, force: true })
  }
})

test.each(['worker.ts', 'client.ts'])(
  'without a Temporal server, example/%s says how to get one',
  async (name) => {
    const started = start(process.execPath, [script(name)], {
      ...process.env,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
    })
    expect(await exitCode(started)).toBe(1)
    expect(started.output()).toMatch(/127\.0\.0\.1:1: .*\n.*temporal server start-dev/)
  },
)
