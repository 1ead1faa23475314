import path from 'node:path'
import { NativeConnection } from '@temporalio/worker'
import {
  createAuditedBuildActivities,
  createAuditWorker,
  createOptimizationActivities,
  renderReport,
} from '../src/exports/temporal.ts'
import { unreachable } from './input.ts'

// A worker for audited builds, as you would write it in a project of your own: `npm run example:worker`. It needs a Temporal
// server, and the key of the agent in its environment: GEMINI_API_KEY, ANTHROPIC_API_KEY or OPENAI_API_KEY.

const address = process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233'
// The checks of the example run tsc and eslint, and the agent is the Gemini CLI: all of them are in this project.
const tools = path.resolve(import.meta.dirname, '../node_modules/.bin')
const env = { ...process.env, PATH: `${tools}${path.delimiter}${process.env['PATH'] ?? ''}` }

const connection = await NativeConnection.connect({ address }).catch((error: unknown) => {
  console.error(unreachable(address, error))
  process.exit(1)
})
const keys = ['GEMINI_API_KEY', 'ANTHROPIC_API_KEY', 'OPENAI_API_KEY'].filter((name) => process.env[name])
if (keys.length === 0) {
  console.error(
    'NOTICE: none of GEMINI_API_KEY, ANTHROPIC_API_KEY and OPENAI_API_KEY is set. Builds fail with AGENT_AUTH, ' +
      'unless the CLI of the agent is logged in. `npm run example` needs no key.',
  )
}
try {
  const worker = await createAuditWorker({
    connection,
    activities: {
      ...createAuditedBuildActivities({ env }),
      ...createOptimizationActivities({ renderReport }),
    },
  })
  console.log(`The worker polls ${address}. Start a build in another terminal: npm run example:client`)
  await worker.run()
} finally {
  await connection.close()
}
