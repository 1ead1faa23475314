/**
 * How the wall time of `OptimizationWorkflow` falls with the number of workers.
 *
 *   node bench/workers.ts [--builds 60000] [--workers 2] [--rounds 2]
 *
 * A real Temporal server, and worker processes with one activity at a time each, so that one worker uses about one CPU. Each run
 * reads the same traces into rows of its own; runs with one worker and with several take turns.
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { OptimizationInput, OptimizationResult } from '../src/exports/temporal.ts'
import { writeCorpus } from '../src/simulate/corpus.ts'
import { start } from '../test/setup/process.ts'
import { startTemporal } from '../test/setup/temporal.ts'

const { values } = parseArgs({
  options: {
    builds: { type: 'string', default: '60000' },
    workers: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '2' },
  },
})
const RUN_WORKER = path.join(import.meta.dirname, '..', 'test', 'setup', 'run-worker.ts')
const FILES = 24
const SHARDS = 8

const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-bench-workers-'))
const temporal = await startTemporal()
try {
  const { lines, bytes } = await writeCorpus(
    Array.from({ length: FILES }, (_, n) => path.join(directory, 'builds', String(n), 'audit_trace.jsonl')),
    {
      seed: 'workers',
      size: { builds: Number(values.builds) },
      startMs: Date.UTC(2026, 8, 1),
      spanMs: 30 * 86_400_000,
    },
  )
  console.log(`${lines} entries, ${Math.round(bytes / 1e6)} MB, ${SHARDS} shards`)
  const counts = [1, Number(values.workers)]
  const seconds = new Map(counts.map((workers) => [workers, [] as number[]]))
  for (let round = 0; round < Number(values.rounds); round++)
    for (const workers of counts) {
      const took = await run(workers, `${workers}-${round}`)
      seconds.get(workers)?.push(took)
      console.log(`${workers} worker(s): ${took.toFixed(1)} s`)
    }
  const [one = 0, several = 0] = counts.map((workers) => Math.min(...(seconds.get(workers) as number[])))
  console.log(`${values.workers} workers take ${(several / one).toFixed(2)} of the time of one`)
} finally {
  await temporal.teardown()
  fs.rmSync(directory, { recursive: true })
}

/** Seconds from the start of the workflow to its result. */
async function run(workers: number, name: string): Promise<number> {
  const started = Array.from({ length: workers }, () =>
    start(process.execPath, [RUN_WORKER, temporal.address, name, '1']),
  )
  const { workflow } = temporal.client
  const begin = (workflowId: string, roots: string[]) =>
    workflow.execute<(input: OptimizationInput) => Promise<OptimizationResult>>('OptimizationWorkflow', {
      taskQueue: name,
      workflowId,
      args: [
        {
          roots,
          reportDir: path.join(directory, 'reports'),
          format: 'json',
          shards: { count: SHARDS, dir: path.join(directory, `rows-${workflowId}`) },
        },
      ],
    })
  // The workers have then started, and loaded what they need.
  await begin(`warm-${name}`, [path.join(directory, 'builds', '0')])
  const from = performance.now()
  await begin(name, [path.join(directory, 'builds')])
  const took = (performance.now() - from) / 1000
  for (const each of started) await each.stop()
  return took
}
