import { readFileSync } from 'node:fs'
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

it('a workflow with other decisions fails the replay', async () => {
  const text = JSON.stringify(recorded)
  const other = JSON.parse(text.replaceAll('"runComplianceChecks"', '"runOtherChecks"')) as typeof recorded
  await expect(Worker.runReplayHistory({ workflowsPath }, other)).rejects.toThrow(
    /[Nn]ondeterminism|determin/,
  )
})
