import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { openFilesBudget, openFilesLimit } from '../../src/tail/open-files.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { parseExposition } from '../setup/exposition.ts'
import { freePort } from '../setup/free-port.ts'
import { start, until } from '../setup/process.ts'

test.each([
  [undefined, 256, undefined],
  [20, 4, 20],
  [64, 12, 64],
  [256, 108, 256],
  [1_024, 492, undefined],
  [1_000_000, 1_000, undefined],
])('a limit of %s open files leaves %i for traces', (limit, maxOpenFiles, tightLimit) => {
  expect(openFilesBudget(limit)).toEqual({ maxOpenFiles, tightLimit })
})

test.runIf(process.platform === 'linux')('the process knows its limit', () => {
  expect(openFilesLimit()).toBeGreaterThan(10)
})

test.each([64, 256])(
  'with a limit of %i open files 600 traces are read, and one warning is logged',
  async (limit) => {
    const directory = temporaryDirectory()
    for (let i = 0; i < 600; i++) {
      const build = path.join(directory, 'builds', `b${i}`)
      mkdirSync(build, { recursive: true })
      writeFileSync(path.join(build, 'audit_trace.jsonl'), lines(entry({ workflow_run_id: `run-${i}` })))
    }
    const port = await freePort()
    const main = path.resolve(import.meta.dirname, '../../src/main.ts')
    const daemon = start('bash', [
      '-c',
      `ulimit -n ${limit}; exec "$0" "$@"`,
      process.execPath,
      main,
      'watch',
      path.join(directory, 'builds'),
      '--state',
      path.join(directory, 'state'),
      '--listen',
      `127.0.0.1:${port}`,
    ])
    const samples = await until('the exporter is ready', async () => {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`)
      return response.ok ? parseExposition(await response.text()) : undefined
    })
    const entries = [...samples].filter(([key]) => key.startsWith('audit_entries_total'))
    expect(entries.reduce((sum, [, value]) => sum + value, 0)).toBe(600)
    const logged = daemon.output()
    expect(logged.match(/few_open_files/gu)).toHaveLength(1)
    expect(logged).not.toContain('file_failed')
  },
  60_000,
)
