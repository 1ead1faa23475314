import { execFileSync } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { beforeAll, expect, it } from 'vitest'
import { workflowsPath } from '../../../src/capture/temporal/worker.ts'

const project = path.resolve(import.meta.dirname, '../../..')
const recorded = JSON.parse(
  readFileSync(path.join(project, 'test/golden/audited-build.history.json'), 'utf8'),
) as { events: { workflowExecutionStartedEventAttributes?: unknown }[] }

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR') })
})

it('replays a recorded build of three fixes from the sources', async () => {
  await expect(Worker.runReplayHistory({ workflowsPath }, recorded)).resolves.toBeUndefined()
})

it('replays it from the published package', async () => {
  // Below node_modules, as in the project of a user.
  const parent = path.join(project, 'node_modules/.cache')
  mkdirSync(parent, { recursive: true })
  const dist = mkdtempSync(path.join(parent, 'dist-'))
  try {
    const tsc = path.join(project, 'node_modules/.bin/tsc')
    execFileSync(tsc, ['-p', path.join(project, 'tsconfig.build.json'), '--outDir', dist])
    await Worker.runReplayHistory(
      { workflowsPath: path.join(dist, 'capture/temporal/workflows.js') },
      recorded,
    )
    const built = (await import(path.join(dist, 'capture/temporal/worker.js'))) as { workflowsPath: string }
    expect(built.workflowsPath).toBe(path.join(dist, 'capture/temporal/workflows.js'))
  } finally {
    rmSync(dist, { recursive: true, force: true })
  }
})

it('a workflow with other decisions fails the replay', async () => {
  const text = JSON.stringify(recorded)
  const other = JSON.parse(text.replaceAll('"runComplianceChecks"', '"runOtherChecks"')) as typeof recorded
  await expect(Worker.runReplayHistory({ workflowsPath }, other)).rejects.toThrow(
    /[Nn]ondeterminism|determin/,
  )
})
