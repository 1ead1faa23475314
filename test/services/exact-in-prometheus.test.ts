import { appendFileSync, cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon } from '../setup/daemon.ts'
import { entry, HASH_A, HASH_B, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { until } from '../setup/process.ts'
import { GENERATIONS } from '../setup/generations.ts'
import { requireProgram } from '../setup/programs.ts'
import { type Prometheus, startPrometheus } from '../setup/prometheus.ts'

/** Counts entries and tokens by step; shares no code with the exporter. */
const COUNT = `
import collections, glob, json, sys
entries, tokens = collections.Counter(), collections.Counter()
for name in glob.glob(sys.argv[1] + '/**/audit_trace.jsonl', recursive=True):
    for line in open(name, encoding='utf-8'):
        row = json.loads(line)
        entries[row['step_name']] += 1
        tokens[row['step_name']] += (row.get('prompt_token_count') or 0) + (row.get('completion_token_count') or 0)
print(json.dumps({'entries': entries, 'tokens': tokens}))
`

interface Counts {
  readonly entries: Record<string, number>
  readonly tokens: Record<string, number>
}

const independentCount = (root: string): Counts =>
  JSON.parse(execFileSync('python3', ['-c', COUNT, root], { encoding: 'utf8' })) as Counts

test('Prometheus 2 and 3 hold what an independent count finds in growing files', async () => {
  requireProgram('python3')
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(path.join(root, 'old'), { recursive: true })
  const write = (build: number, steps: number): void => {
    const trace = path.join(root, `build-${build}`, 'audit_trace.jsonl')
    mkdirSync(path.dirname(trace), { recursive: true })
    for (let i = 0; i < steps; i++) {
      const fields = {
        workflow_run_id: `run-${build}`,
        step_name: `step_${(build + i) % 4}`,
        prompt_token_count: 100 + i,
        completion_token_count: build,
        context_file_hash: i % 2 === 0 ? HASH_A : HASH_B,
        error_full: '→'.repeat(i),
        timestamp: new Date().toISOString(),
      }
      appendFileSync(trace, lines(entry(fields)))
    }
  }
  write(0, 50)
  const daemon = await startDaemon({
    roots: [root],
    state: path.join(directory, 'state'),
    args: ['--new-series-hold', '3s'],
  })
  await daemon.ready()
  const servers: Prometheus[] = []
  for (const generation of GENERATIONS)
    servers.push(await startPrometheus({ generation, targets: { audit: daemon.address } }))
  for (let build = 1; build <= 20; build++) write(build, 1 + (build % 7) * 3)
  writeFileSync(path.join(root, 'old', 'audit_trace.jsonl'), lines(entry({ step_name: 'unseen' })))

  const expected = independentCount(root)
  for (const server of servers) await expectExact(server, expected)
})

async function expectExact(prometheus: Prometheus, expected: Counts): Promise<void> {
  const bySteps = async (query: string): Promise<Record<string, number>> => {
    const samples = await prometheus.instant(query)
    return Object.fromEntries(samples.map(({ labels, value }) => [labels['step'] ?? '', value]))
  }
  await until('the totals in Prometheus equal the files', async () => {
    const entries = await bySteps('sum by (step) (audit_entries_total)')
    return JSON.stringify(sorted(entries)) === JSON.stringify(sorted(expected.entries)) || undefined
  })
  expect(await bySteps('sum by (step) (audit_entries_total)')).toEqual(expected.entries)
  expect(await bySteps('sum by (step) (audit_tokens_total) > 0')).toEqual(
    Object.fromEntries(Object.entries(expected.tokens).filter(([, tokens]) => tokens > 0)),
  )
  // This step's series began after the first scrape: born at zero, its first entry is an increase.
  await until('the first entry of a new series is an increase', async () => {
    const [sample] = await prometheus.instant('sum(round(increase(audit_entries_total{step="unseen"}[1h])))')
    return sample?.value === 1 || undefined
  })
}

test('the files of another team give the same totals as an independent count', async () => {
  requireProgram('python3')
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  cpSync(
    path.join(import.meta.dirname, '../golden/cases/seed_schema.jsonl'),
    path.join(root, 'a', 'audit_trace.jsonl'),
  )
  const daemon = await startDaemon({ roots: [root], state: path.join(directory, 'state') })
  await daemon.ready()
  const sums = { entries: {} as Record<string, number>, tokens: {} as Record<string, number> }
  for (const [key, value] of await daemon.scrape()) {
    const name = /^audit_(entries|tokens)_total/.exec(key)?.[1] as 'entries' | 'tokens' | undefined
    const step = /step="([^"]*)"/.exec(key)?.[1]
    if (name !== undefined && step !== undefined) sums[name][step] = (sums[name][step] ?? 0) + value
  }
  const expected = independentCount(root)
  expect(sums.entries).toEqual(expected.entries)
  for (const [step, tokens] of Object.entries(expected.tokens))
    expect(sums.tokens[step] ?? 0, step).toBe(tokens)
})

const sorted = (record: Record<string, number>): [string, number][] =>
  Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1))
