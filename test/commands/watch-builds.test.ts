import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { createBuildViews, recentView } from '../../src/commands/watch-builds.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { nodeFileSystem } from '../../src/tail/file-system.ts'
import { MAX_STRETCH_BYTES } from '../../src/recent/stretch-lines.ts'
import { entry, HASH_A, lines } from '../setup/entries.ts'
import { NOON, startExporter, temporaryDirectory } from '../setup/exporter.ts'

/** An exporter that has read this text. */
async function read(text: string) {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const file = path.join(root, 'audit_trace.jsonl')
  writeFileSync(file, text)
  const exporter = await startExporter({ roots: [root], state: path.join(directory, 'state') })
  const view = createBuildViews({ engine: exporter, fs: nodeFileSystem, clock: exporter.clock, phase: [] })
  return { directory, root, file, exporter, view }
}

const step = (step_name: string, more: Partial<OptimizationLogEntry> = {}): OptimizationLogEntry =>
  entry({ step_name, ...more })

const BUILD = [
  step('implement_v1', { prompt_token_count: 30, completion_token_count: 10, context_file_hash: HASH_A }),
  step('verify', { validation_status: 'fail', validation_error_type: 'TSC_ERROR', error_full: 'a.ts: no' }),
  step('fix_1', { completion_token_count: 7 }),
]
const OTHER = [entry({ workflow_run_id: 'run-2', total_token_cost: 900 })]

test('the view of a build has its steps from the file, attributed as they were counted, and nothing of other builds', async () => {
  const { view, file } = await read(lines(...BUILD.slice(0, 2), ...OTHER, ...BUILD.slice(2)))
  const build = await view('run-1')
  expect(build).toMatchObject({
    tokens: 47,
    entries: 3,
    found: 3,
    failures: 1,
    revision: `v1 ${'a'.repeat(12)}`,
  })
  expect(
    build?.steps.map(({ entry, phase, errorType, errorText }) => [entry.step, phase, errorType, errorText]),
  ).toEqual([
    ['implement_v1', 'implement', '', ''],
    ['verify', 'verify', 'TSC_ERROR', 'a.ts: no'],
    ['fix_1', 'rework', 'TSC_ERROR', ''],
  ])
  expect(build?.files).toEqual([{ path: file, state: 'whole', tooLong: 0 }])
})

test('a build is found again in the file that its file was rotated to', async () => {
  const { view, file, exporter } = await read(lines(...BUILD))
  renameSync(file, `${file}.1`)
  writeFileSync(file, lines(...OTHER, ...OTHER, ...OTHER, ...OTHER, ...OTHER, ...OTHER))
  await exporter.round()
  const build = await view('run-1')
  expect(build?.found).toBe(3)
  expect(build?.files).toEqual([{ path: `${file}.1`, state: 'whole', tooLong: 0 }])
})

test('a file that is gone says so, and the sums stay', async () => {
  const { view, file } = await read(lines(...BUILD))
  rmSync(file)
  expect(await view('run-1')).toMatchObject({
    tokens: 47,
    entries: 3,
    found: 0,
    files: [{ path: file, state: 'gone' }],
  })
})

test('a file that was truncated and written anew says that the steps are not there any more', async () => {
  const { view, file, exporter } = await read(lines(...BUILD))
  writeFileSync(file, lines(...Array.from({ length: 20 }, () => OTHER[0])))
  await exporter.round()
  expect(await view('run-1')).toMatchObject({ found: 0, files: [{ state: 'replaced' }] })
})

test('no other file is read, also if a link to it has come to stand at the path', async () => {
  const { view, file, directory } = await read(lines(...BUILD))
  const secret = path.join(directory, 'secret.jsonl')
  writeFileSync(secret, lines(...BUILD))
  rmSync(file)
  symlinkSync(secret, file)
  expect(await view('run-1')).toMatchObject({ found: 0, steps: [], files: [{ state: 'replaced' }] })
})

test('a run that was never seen has no view, whatever its name looks like', async () => {
  const { view, file } = await read(lines(...BUILD))
  for (const name of ['', 'run-9', file, '../../etc/passwd', '__proto__'])
    expect(await view(name)).toBeUndefined()
})

test('a long build is shown up to 200 steps and 16 MiB, and the rest is counted', async () => {
  const many = Array.from({ length: 250 }, (_, i) => step(`other_${i}`))
  const { view } = await read(lines(...many))
  const build = await view('run-1')
  expect([build?.steps.length, build?.found]).toEqual([200, 250])
  const filler = lines(entry({ workflow_run_id: 'run-2', error_full: 'x'.repeat(1 << 20) }))
  const far = await read(lines(...BUILD) + filler.repeat(MAX_STRETCH_BYTES / (1 << 20)) + lines(step('late')))
  expect(await far.view('run-1')).toMatchObject({ entries: 4, found: 3, files: [{ state: 'cut' }] })
})

test('a line of more than 2 MiB is left out of the view, and counted', async () => {
  const huge = step('verify', { validation_status: 'fail', error_full: 'x'.repeat(3 << 20) })
  const { view } = await read(lines(...BUILD, huge))
  expect(await view('run-1')).toMatchObject({ entries: 4, found: 3, files: [{ state: 'whole', tooLong: 1 }] })
})

test('records welded into one line are steps of their builds', async () => {
  const [first, second] = BUILD.map((each) => JSON.stringify(each))
  const { view } = await read(`{"workflow_run_id":"run-1","st${first}${JSON.stringify(OTHER[0])}${second}\n`)
  expect(await view('run-1')).toMatchObject({ entries: 2, found: 2 })
})

test('the lists have the last ten builds and the ten dearest, of all that are kept', async () => {
  const builds = Array.from({ length: 30 }, (_, i) =>
    entry({
      workflow_run_id: `run-${i}`,
      timestamp: new Date(NOON - 600_000 + i * 1_000).toISOString(),
      total_token_cost: i % 2 === 0 ? i : 1_000 - i,
    }),
  )
  const { exporter } = await read(lines(...builds))
  const { kept, last, dearest } = recentView(exporter)
  expect(kept).toBe(30)
  expect(last.map(({ runId }) => runId)).toEqual(Array.from({ length: 10 }, (_, i) => `run-${29 - i}`))
  expect(dearest.map(({ runId }) => runId)).toEqual(Array.from({ length: 10 }, (_, i) => `run-${2 * i + 1}`))
})
