import { reportRows } from '../../src/commands/report-rows.ts'
import { worker } from '../../src/commands/worker.ts'
import { createLogger } from '../../src/log.ts'

// A worker in its own process, which a test can kill: `node run-worker.ts ADDRESS TASK_QUEUE [ACTIVITIES]`.
const [address = '', taskQueue = '', activities = '4'] = process.argv.slice(2)
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())

await worker(
  { address, namespace: 'default', taskQueue, maxConcurrentActivities: Number(activities) },
  {
    log: createLogger({ fd: 2, pretty: false }),
    env: process.env,
    signal: stop.signal,
    renderReport: () => Promise.reject(new Error('not asked for here')),
    rows: reportRows,
  },
)
