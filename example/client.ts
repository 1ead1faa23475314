import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Client, Connection, type WorkflowFailedError } from '@temporalio/client'
import type { AuditedBuildWorkflow } from '../src/capture/temporal/workflows.ts'
import { DEFAULT_TASK_QUEUE } from '../src/exports/temporal.ts'
import { exampleInput, unreachable } from './input.ts'

// Starts one audited build and waits for it, as you would in a project of your own: `npm run example:client`. A worker must
// be running: `npm run example:worker`.

const HELP = `Usage: npm run example:client -- [--agent <name>] [--model <model>] [--builds <dir>]

Starts the build of example/specification.md and waits for its result.
  --agent   gemini-cli (default), claude-code or codex-cli
  --model   default: gemini-2.5-flash, and for other agents the one that their CLI chooses
  --builds  parent directory of all builds, on the machine of the worker
TEMPORAL_ADDRESS is the server's host:port. Default: 127.0.0.1:7233.`

const builds = path.join(os.tmpdir(), 'audit-example-builds')
const { values } = parseArgs({
  options: {
    agent: { type: 'string', default: 'gemini-cli' },
    model: { type: 'string' },
    builds: { type: 'string', default: builds },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(HELP)
  process.exit(0)
}

const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233'
const connection = await Connection.connect({ address }).catch((error: unknown) => {
  console.error(unreachable(address, error))
  process.exit(1)
})
const model = values.model ?? (values.agent === 'gemini-cli' ? 'gemini-2.5-flash' : undefined)
const handle = await new Client({ connection }).workflow.start<typeof AuditedBuildWorkflow>(
  'AuditedBuildWorkflow',
  {
    workflowId: `example-${Date.now()}`,
    taskQueue: DEFAULT_TASK_QUEUE,
    args: [
      exampleInput({
        workspaceRoot: path.resolve(values.builds),
        agent: values.agent,
        ...(model === undefined ? {} : { model }),
      }),
    ],
  },
)
console.log(`Started ${handle.workflowId}, run ${handle.firstExecutionRunId}. Waiting for its result …`)
try {
  const { outcome, fixAttempts, totalTokens } = await handle.result()
  console.log(`The build has passed: ${outcome}, fixes: ${fixAttempts}, tokens: ${totalTokens}.`)
} catch (error) {
  const { cause } = error as WorkflowFailedError
  console.error(`The build has failed: ${cause?.message ?? String(error)}`)
  console.error("The last line of its trace has the reason in error_full; the worker's output may say more.")
  process.exitCode = 1
}
const dir = path.join(path.resolve(values.builds), 'sum', handle.firstExecutionRunId)
console.log(`Its trace: ${path.join(dir, 'audit_trace.jsonl')}`)
console.log(`All traces on a page and for Prometheus: npm start -- watch ${path.resolve(values.builds)}`)
await connection.close()
