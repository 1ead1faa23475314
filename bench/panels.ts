/**
 * Measures every query of every panel on a real Prometheus with much data: 90 days, 200 revisions of GEMINI.md, 100 error
 * types (the exporter's limits) and 30 prompt versions, from one exporter that never restarts. Each revision has each
 * error type.
 *
 *   npm run bench:panels -- [--range 90d] [--generation 3] [--rounds 3] [--timeout 30] [--only TEXT] [--data DIR] [--every 3600]
 *
 * Needs Go, to write blocks: promtool would take hours. The data is made once, into --data. It is thinned: a counter of
 * builds has a sample every --every seconds instead of every 15, a sum over revisions or error types one a minute. Near the ends of
 * the last 1, 7, 30 and 90 days, where queries read single samples, there is one every 15 seconds. What lives.yml
 * records is complete. Variables that Prometheus gives the values of are asked for, and measured like panels.
 */
import { existsSync, rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parseDuration } from '../src/config/units.ts'
import { writeBlocks } from './panels/blocks.ts'
import { type Query, queriesOf } from './panels/boards.ts'
import { type Answer, type Server, startServer } from './panels/server.ts'

const { values } = parseArgs({
  options: {
    range: { type: 'string', default: '90d' },
    generation: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    timeout: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    every: { type: 'string', default: '3600' },
    data: { type: 'string', default: path.join(os.tmpdir(), 'audit-bench-panels') },
  },
})
const rangeSeconds = (parseDuration(values.range) ?? NaN) / 1000
const size = {
  days: 90,
  revisions: 200,
  errorTypes: 100,
  everySeconds: Number(values.every),
  endSeconds: Date.parse('2026-11-20T00:00:00Z') / 1000,
}
/** Queries that take longer are not repeated. */
const LONG_SECONDS = 5

const blocks = path.join(values.data, 'blocks')
if (!existsSync(path.join(values.data, 'complete'))) {
  rmSync(values.data, { recursive: true, force: true })
  await mkdir(blocks, { recursive: true })
  const samples = await writeBlocks(size, blocks, values.data)
  await mkdir(path.join(values.data, 'complete'))
  console.log(`wrote ${(samples / 1e6).toFixed(0)} million samples to ${values.data}`)
}

/** The best of several rounds, so that what else runs on the machine counts little. */
async function best(server: Server, query: Query): Promise<Answer> {
  let answer = await server.time(query, rangeSeconds, size.endSeconds)
  for (let round = 1; round < Number(values.rounds); round++) {
    if ('error' in answer || answer.cpuSeconds > LONG_SECONDS) break
    const next = await server.time(query, rangeSeconds, size.endSeconds)
    if ('error' in next || next.cpuSeconds < answer.cpuSeconds) answer = next
  }
  return answer
}

const server = await startServer({
  generation: values.generation,
  data: blocks,
  scratch: values.data,
  timeoutSeconds: Number(values.timeout),
})
const rows: { readonly name: string; readonly answer: Answer }[] = []
try {
  const ask = (expr: string) => server.ask(expr, size.endSeconds)
  for (const query of await queriesOf(rangeSeconds, ask)) {
    const name = `${query.board.replace('audit-', '')}: ${query.panel} ${query.refId}`
    if (!name.includes(values.only)) continue
    rows.push({ name, answer: await best(server, query) })
    process.stderr.write('.')
  }
} finally {
  await server.stop()
}
const secondsOf = (answer: Answer): number => ('error' in answer ? Infinity : answer.cpuSeconds)
rows.sort((a, b) => secondsOf(b.answer) - secondsOf(a.answer))
console.log(`\n${values.range}, Prometheus ${values.generation}, ${rows.length} queries`)
for (const { name, answer } of rows)
  console.log(
    'error' in answer
      ? `   failed  ${name}: ${answer.error}`
      : `${answer.cpuSeconds.toFixed(2).padStart(7)} s CPU ${answer.seconds.toFixed(2).padStart(7)} s  ${name}  (${answer.series} series)`,
  )
const slow = rows.filter(({ answer }) => secondsOf(answer) >= 1).length
console.log(`${slow} of ${rows.length} queries take 1 s of CPU or longer`)
