import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { sumOfLives } from '../../prometheus/lives.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { startDaemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { createManualClock, NOON, openExporter, temporaryDirectory } from '../setup/exporter.ts'
import { freePort } from '../setup/free-port.ts'
import { until } from '../setup/process.ts'
import { requireProgram, skipTest } from '../setup/programs.ts'
import { startPrometheus } from '../setup/prometheus.ts'
import { at, HOUR, oldTraces, run, runHere, STEP } from './backfill-setup.ts'

/** Builds that had passed by then, straight from the files. */
function passed(entries: readonly OptimizationLogEntry[], byMs: number): Record<string, number> {
  const counts: Record<string, number> = { first_pass: 0, after_rework: 0 }
  const runs = new Map<string, OptimizationLogEntry[]>()
  for (const each of entries.toSorted((a, b) => at(a) - at(b))) {
    if (at(each) <= byMs) runs.set(each.workflow_run_id, [...(runs.get(each.workflow_run_id) ?? []), each])
  }
  for (const steps of runs.values()) {
    const pass = steps.findIndex(({ validation_status: status }) => status === 'pass')
    if (pass < 0) continue
    const failed = steps.slice(0, pass).some(({ validation_status: status }) => status === 'fail')
    counts[failed ? 'after_rework' : 'first_pass']!++
  }
  return counts
}

test('a real Prometheus shows the history as it was, and an unbroken series across the seam to the daemon', async () => {
  requireProgram('promtool')
  const { directory, files, entries } = await oldTraces()
  const [out, data, work] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()]
  const state = path.join(work, 'state')
  const address = `127.0.0.1:${await freePort()}`
  const done = await run(
    directory,
    '--out',
    out,
    '--prometheus-data',
    data,
    '--state',
    state,
    '--job',
    'audit',
    '--instance',
    address,
  )
  expect(done).toMatchObject({ code: 0, output: expect.stringContaining('continues from these totals') })

  const daemon = await startDaemon({
    roots: [directory],
    state,
    args: ['--listen', address, '--new-series-hold', '3s'],
  })
  await daemon.ready()
  const prometheus = await startPrometheus({ targets: { audit: address }, dataDirectory: data })

  const first = Math.min(...entries.map(at))
  const last = Math.max(...entries.map(at))
  const ticks = [0.01, 0.2, 0.5, 0.77, 1].map(
    (share) => Math.ceil((first + share * (last - first)) / STEP) * STEP,
  )
  const one = async (query: string, timeMs?: number) =>
    (await prometheus.instant(query, timeMs))[0]?.value ?? 0
  for (const tick of ticks) {
    const before = entries.filter((each) => at(each) <= tick)
    expect(await one('sum(audit_entries_total)', tick)).toBe(before.length)
    expect(await one('sum(audit_overall_entries_total)', tick)).toBe(before.length)
    expect(await one('sum(audit_tokens_total)', tick)).toBe(
      before.reduce((sum, each) => sum + (each.total_token_cost ?? 0), 0),
    )
    const outcomes = passed(entries, tick)
    for (const outcome of ['first_pass', 'after_rework']) {
      expect(await one(`sum(audit_builds_total{outcome="${outcome}"})`, tick)).toBe(outcomes[outcome])
    }
    expect(await one('sum(audit_step_token_cost_count)', tick)).toBe(
      before.filter((each) => each.total_token_cost !== undefined).length,
    )
  }
  // A zero before the first: the first increment is seen. And no series is ever taken for gone.
  const range = await prometheus.range(
    'sum(audit_entries_total)',
    Math.ceil(first / STEP) * STEP - STEP,
    last,
    240,
  )
  expect(range[0]?.values[0]?.[1]).toBe(0)
  expect(range[0]?.values).toHaveLength(Math.floor((last - Math.ceil(first / STEP) * STEP) / STEP) + 2)
  const implement = entries.filter(({ step_name: step }) => step === 'implement_v1').length
  const whole = Math.ceil((last - first + 2 * STEP) / 1000)
  expect(
    await one(`sum(round(increase(audit_entries_total{step="implement_v1"}[${whole}s])))`, ticks[4]),
  ).toBe(implement)

  // The seam: what is appended now is the whole difference.
  const live = ['r1', 'r2', 'r3'].map((runId) =>
    entry({
      workflow_run_id: runId,
      step_name: 'implement_v1',
      timestamp: new Date().toISOString(),
      total_token_cost: 7,
    }),
  )
  appendFileSync(files[0] as string, lines(...live))
  await until(
    'the appended entries are scraped',
    async () => (await one('sum(audit_entries_total)')) === entries.length + live.length || undefined,
  )
  const now = Date.now()
  const seam = Math.floor((now - 12 * HOUR) / STEP) * STEP
  const since = entries.filter((each) => at(each) > seam).length
  expect(since).toBeGreaterThan(5)
  expect((await one('sum(audit_entries_total)', now)) - (await one('sum(audit_entries_total)', seam))).toBe(
    since + 3,
  )
  const seconds = Math.ceil((now - seam) / 1000)
  expect(await one(`sum(round(increase(audit_entries_total[${seconds}s])))`, now)).toBe(since + 3)
  expect(await one(`sum(resets(audit_entries_total[13h]))`)).toBe(0)

  // What panels show, over the whole of it, over the seam, and within the history, where series begin.
  const increase = (fromMs: number, toMs: number) =>
    one(
      sumOfLives([], { name: 'audit_entries_total', window: `${Math.round((toMs - fromMs) / 1000)}s` }),
      toMs,
    )
  expect(await increase(first - HOUR, now)).toBe(entries.length + 3)
  expect(await increase(seam, now)).toBe(since + 3)
  const [early, late] = [ticks[1]!, ticks[3]!]
  const within = entries.filter((each) => at(each) > early && at(each) <= late).length
  expect(await increase(early, late)).toBe(within)
  expect(await increase(first - HOUR, late)).toBe(entries.filter((each) => at(each) <= late).length)
})

test('a second run changes nothing, and a foreign state is not touched', async () => {
  requireProgram('promtool')
  const { directory } = await oldTraces()
  const [out, data, work] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()]
  const state = path.join(work, 'state')
  const args = [directory, '--out', out, '--prometheus-data', data, '--state', state, '--since', '10h']
  expect((await run(...args)).code).toBe(0)
  const seen = (): unknown => [
    readdirSync(data),
    readdirSync(out),
    createHash('sha256')
      .update(readFileSync(path.join(state, 'state.sqlite')))
      .digest('hex'),
  ]
  const before = seen()
  const again = await run(
    directory,
    '--out',
    out,
    '--prometheus-data',
    data,
    '--state',
    state,
    '--since',
    '10h',
  )
  expect(again.output).toContain('left unchanged')
  expect(readdirSync(data)).toEqual((before as string[][])[0])
  expect((seen() as string[])[2]).toBe((before as string[])[2])
  const foreign = await run(directory, '--out', temporaryDirectory(), '--state', state)
  expect(foreign).toMatchObject({ code: 2, output: expect.stringContaining('already holds totals') })
})

test('the daemon continues from the state without counting anything twice, with every series live', async () => {
  const { directory, files, entries } = await oldTraces()
  const state = path.join(temporaryDirectory(), 'state')
  // An unfinished line waits for its end, as it would have for the daemon.
  const late = JSON.stringify(
    entry({ workflow_run_id: 'late', step_name: 'implement_v1', total_token_cost: 5 }),
  )
  appendFileSync(files[1] as string, late.slice(0, 20))
  expect((await run(directory, '--out', temporaryDirectory(), '--state', state, '--since', '4h')).code).toBe(
    0,
  )

  const clock = createManualClock(Date.now())
  const continued = openExporter({ roots: [directory], state, clock })
  await continued.firstPass()
  const fresh = openExporter({
    roots: [directory],
    state: path.join(temporaryDirectory(), 'state'),
    clock,
  })
  await fresh.firstPass()
  // Sums of fractions depend on the order of adding up, in their last digits.
  const audit = (samples: Map<string, number>): Map<string, number> =>
    new Map(
      [...samples]
        .filter(([name]) => name.startsWith('audit_') && !/state_bytes|commit/u.test(name))
        .map(([name, value]) => [name, Number(value.toPrecision(12))] as const)
        .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    )
  expect(audit(await continued.scrape())).toEqual(audit(await fresh.scrape()))

  appendFileSync(files[1] as string, `${late.slice(20)}\n`)
  await continued.round()
  await continued.scrape()
  clock.advance(60_000)
  const samples = await continued.scrape()
  const total = [...samples]
    .filter(([name]) => name.startsWith('audit_entries_total'))
    .reduce((sum, [, n]) => sum + n, 0)
  expect(total).toBe(entries.length + 1)
})

test('entries out of order, in the future or after the last sample are counted and listed', async () => {
  const directory = temporaryDirectory()
  const now = Date.now()
  const stamp = (agoMs: number): string => new Date(now - agoMs).toISOString()
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(
      entry({ timestamp: stamp(5 * HOUR) }),
      entry({ timestamp: stamp(6 * HOUR), workflow_run_id: 'earlier' }),
      entry({ timestamp: stamp(HOUR), workflow_run_id: 'recent', step_name: 'scaffold' }),
      entry({ timestamp: stamp(-48 * HOUR), workflow_run_id: 'future' }),
    ) + 'no entry\n',
  )
  const out = temporaryDirectory()
  const { code, output } = await run(directory, '--out', out)
  expect(code).toBe(0)
  expect(output).toContain('4 entries in 1 file, 1 line rejected')
  expect(output).toContain('Out of order: 1 entry')
  expect(output).toContain('Later than the last samples')
  expect(output).toContain('Timestamps in the future: 1 entry')
  const text = readdirSync(out)
    .filter((name) => name.endsWith('.om'))
    .map((name) => readFileSync(path.join(out, name), 'utf8'))
    .join('')
  // A series that begins after the last samples stands at zero there, so that its first live value is seen.
  expect(text.match(/^audit_entries_total\{step="scaffold".*$/gmu)).toEqual([
    expect.stringMatching(/\} 0 \d+$/u),
  ])
  expect(Math.max(...[...text.matchAll(/ (\d+)$/gmu)].map(([, time]) => Number(time)))).toBeLessThanOrEqual(
    (Date.now() - 3 * HOUR) / 1000,
  )
  expect(existsSync(path.join(out, 'backfill.json'))).toBe(true)
})

test('a step at which Prometheus would treat series as stale is refused', async () => {
  const { code, output } = await run(temporaryDirectory(), '--out', temporaryDirectory(), '--step', '6m')
  expect(code).toBe(2)
  expect(output).toContain('--step: "6m" is not a duration from 1s to 4m')
})

test('an entry of 1970 stops the run before it writes, with the name of the entry and what to do', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  const recent = new Date(Date.now() - 30 * HOUR).toISOString()
  writeFileSync(file, lines(entry({ timestamp: '1970-01-01T00:00:07Z' }), entry({ timestamp: recent })))
  const out = temporaryDirectory()
  const refused = await run(directory, '--out', out)
  expect(refused.code).toBe(1)
  expect(refused.output).toContain(`${file}:1: no entry follows the one of 1970-01-01T00:00:07.000Z`)
  expect(refused.output).toContain(`use --since ${recent.slice(0, 10)}`)
  expect(readdirSync(out)).toEqual([])
  const { code, output } = await run(directory, '--out', out, '--since', recent.slice(0, 10))
  expect(code).toBe(0)
  expect(output).toContain('Older than --since: 1 entry')
})

test('a history that ended years ago is not continued to this day', async () => {
  const directory = temporaryDirectory()
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(entry({ timestamp: '2021-03-04T05:06:07Z' })),
  )
  const refused = await run(directory, '--out', temporaryDirectory())
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('Use --until 2021-03-05') })
  expect((await run(directory, '--out', temporaryDirectory(), '--until', '2021-03-05')).code).toBe(0)
})

test('a run can be stopped within a day of samples, also in a long pause between entries', async () => {
  const directory = temporaryDirectory()
  const [first, last] = [NOON - 300 * 24 * HOUR, NOON - 30 * HOUR].map((ms) => new Date(ms).toISOString())
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(entry({ timestamp: first as string }), entry({ timestamp: last as string })),
  )
  const out = temporaryDirectory()
  const stop = new AbortController()
  const stopped = runHere({ paths: [directory], out }, { signal: stop.signal })
  const days = (): number => readdirSync(out).filter((name) => name.endsWith('.om')).length
  const watching = setInterval(() => days() > 0 && stop.abort(), 0)
  await expect(stopped.finally(() => clearInterval(watching))).rejects.toThrow(
    'stopped before the history was complete',
  )
  expect(days()).toBeLessThan(50)
})

test('a run an hour later writes the same samples, whatever was appended in between', async () => {
  requireProgram('promtool')
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  const ago = (ms: number): string => new Date(NOON - ms).toISOString()
  writeFileSync(
    file,
    lines(
      entry({ timestamp: ago(30 * HOUR), validation_status: 'pass' }),
      // Open at the first run, timed out at the second.
      entry({ timestamp: ago(HOUR / 2), workflow_run_id: 'open' }),
    ),
  )
  const [out, data] = [temporaryDirectory(), temporaryDirectory()]
  const flags = { paths: [directory], out, prometheusData: data, keep: true }
  expect(await runHere(flags)).toMatchObject({ complete: true })
  const seen = () => [
    readdirSync(data),
    ...readdirSync(out)
      .filter((name) => name.endsWith('.om'))
      .map((name) => readFileSync(path.join(out, name), 'utf8')),
  ]
  const before = seen()
  appendFileSync(
    file,
    lines(
      entry({ timestamp: ago(-HOUR / 4), workflow_run_id: 'new', step_name: 'scaffold' }),
      entry({ timestamp: ago(-HOUR / 2), workflow_run_id: 'new', validation_status: 'fail' }),
    ),
  )
  const again = await runHere(flags, { nowMs: NOON + HOUR })
  expect(again).toMatchObject({ complete: true, complaints: [] })
  expect(again.printed).toContain('the end of the first run into')
  expect(seen()).toEqual(before)
})

test('a state made by a second run counts what came after the first, and shows it from zero on', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(file, lines(entry({ timestamp: new Date(NOON - 30 * HOUR).toISOString() })))
  const out = temporaryDirectory()
  await runHere({ paths: [directory], out })
  appendFileSync(
    file,
    lines(entry({ timestamp: new Date(NOON + HOUR / 2).toISOString(), step_name: 'scaffold' })),
  )
  const state = path.join(temporaryDirectory(), 'state')
  await runHere({ paths: [directory], out, state }, { nowMs: NOON + HOUR })

  const clock = createManualClock(NOON + HOUR)
  const daemon = openExporter({ roots: [directory], state, clock })
  await daemon.firstPass()
  const of = (samples: Map<string, number>, step: string): number[] =>
    [...samples]
      .filter(([name]) => name.startsWith('audit_entries_total') && name.includes(`step="${step}"`))
      .map(([, value]) => value)
  const first = await daemon.scrape()
  expect([of(first, 'implement_v1'), of(first, 'scaffold')]).toEqual([[1], [0]])
  clock.advance(60_000)
  const second = await daemon.scrape()
  expect([of(second, 'implement_v1'), of(second, 'scaffold')]).toEqual([[1], [1]])
})

test('a run over a shorter period keeps the record of what was imported before', async () => {
  requireProgram('promtool')
  const directory = temporaryDirectory()
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(...[80, 56, 32].map((hours) => entry({ timestamp: new Date(NOON - hours * HOUR).toISOString() }))),
  )
  const [out, data] = [temporaryDirectory(), temporaryDirectory()]
  const flags = { paths: [directory], out, prometheusData: data }
  const runs = []
  for (const since of [undefined, '2026-11-19', undefined]) {
    runs.push({ ...(await runHere({ ...flags, since })), blocks: readdirSync(data) })
  }
  expect(runs[0]?.blocks.length).toBeGreaterThan(10)
  for (const each of runs) expect(each).toMatchObject({ complete: true, blocks: runs[0]?.blocks })
})

test('if Prometheus deletes the block in progress, the error says what happened and the next run completes', async () => {
  requireProgram('promtool')
  const directory = temporaryDirectory()
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(entry({ timestamp: new Date(NOON - 30 * HOUR).toISOString() })),
  )
  const [out, data, work] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()]
  const state = path.join(work, 'state')
  // Its last words as the real one wrote them when its block was deleted.
  const error =
    'block creation: process blocks: flush: compactor write: open index writer: open ' +
    `${data}/01M8AWZ4348W1GA46SSB3EPG4A.tmp-for-creation/index_tmp_p: no such file or directory`
  const promtool = path.join(work, 'promtool')
  writeFileSync(promtool, `#!/bin/sh\n[ "$1" = --version ] || { echo '${error}' >&2; exit 1; }\n`, {
    mode: 0o755,
  })
  const flags = { paths: [directory], out, prometheusData: data, state }
  await expect(runHere({ ...flags, promtool })).rejects.toThrow(
    /tmp-for-creation.* Prometheus was probably started there during the import.* Run the same command again/u,
  )
  expect(existsSync(state)).toBe(false)
  expect(await runHere(flags)).toMatchObject({ complete: true })
  expect(readdirSync(data).length).toBeGreaterThan(0)
  expect(readdirSync(state)).toEqual(['state.sqlite'])
})

test('the state may be on a file system of its own', async () => {
  const elsewhere = '/dev/shm'
  const directory = temporaryDirectory()
  const otherDevice = existsSync(elsewhere) && statSync(elsewhere).dev !== statSync(directory).dev
  if (!otherDevice) skipTest('needs a second file system at /dev/shm')
  const mounted = mkdtempSync(path.join(elsewhere, 'audit-test-'))
  onTestFinished(() => rmSync(mounted, { recursive: true }))
  const state = path.join(directory, 'state')
  symlinkSync(mounted, state)
  writeFileSync(
    path.join(directory, 'audit_trace.jsonl'),
    lines(entry({ timestamp: '2026-11-19T00:00:00Z' })),
  )
  expect(await runHere({ paths: [directory], out: temporaryDirectory(), state })).toMatchObject({
    complete: true,
  })
  expect(readdirSync(mounted)).toEqual(['state.sqlite'])
})

test('options that cannot work are reported before the replay, with the flag', async () => {
  const directory = temporaryDirectory()
  const trace = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(trace, lines(entry({ timestamp: '2026-11-19T00:00:00Z' })))
  const out = temporaryDirectory()
  const flags = { paths: [directory], out }
  await expect(runHere({ ...flags, out: path.join(trace, 'x') })).rejects.toThrow('--out: cannot write to')
  await expect(runHere({ ...flags, state: trace })).rejects.toThrow('--state: cannot write to')
  await expect(runHere({ ...flags, prometheusData: path.join(trace, 'x') })).rejects.toThrow(
    '--prometheus-data: cannot write to',
  )
  await expect(runHere({ ...flags, prometheusData: out, promtool: 'no-promtool' })).rejects.toThrow(
    '--promtool: cannot find no-promtool',
  )
  await expect(runHere({ ...flags, since: '2026-11-19', until: '2026-11-18' })).rejects.toThrow(
    '--since: 2026-11-19T00:00:00.000Z is not before the end, 2026-11-18T00:00:00.000Z',
  )
  await expect(runHere({ ...flags, since: '2026-02-30' })).rejects.toThrow('--since: "2026-02-30" is not')
  expect(readdirSync(out)).toEqual([])
})

test('what was left out is listed, and the printed commands are quoted for the shell', async () => {
  const directory = path.join(temporaryDirectory(), 'with space')
  mkdirSync(directory)
  const trace = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(trace, `${lines(entry({ timestamp: '2026-11-19T00:00:00Z' }))}{"workflow`)
  writeFileSync(`${trace}.1`, lines(entry({ timestamp: '2026-11-18T00:00:00Z' })))
  const state = path.join(directory, 'state')
  const { printed } = await runHere({ paths: [directory], out: path.join(directory, 'out'), state })
  expect(printed).toContain('1 last line without a newline (10 bytes)')
  expect(printed).toContain(`1 rotated file next to the traces, such as ${trace}.1`)
  expect(printed).toContain(`for file in '${directory}/out'/audit-*.om`)
  expect(printed).toContain(`watch '${directory}' --state '${state}'`)
  const nothing = await runHere({ paths: [temporaryDirectory()], out: temporaryDirectory() })
  expect(nothing.printed).toContain('No audit_trace.jsonl was found below')
})
