import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { reportOptions } from '../../src/commands/report-flags.ts'
import { report } from '../../src/commands/report.ts'
import { parseFlags } from '../../src/config/flags.ts'
import { readHistory } from '../../src/history/history.ts'
import { createScratch } from '../../src/history/scratch.ts'
import { entry, lines } from '../setup/entries.ts'
import { createManualClock, NOON, temporaryDirectory } from '../setup/exporter.ts'
import { memoryInUse, isFreed } from '../setup/memory.ts'

/** A report as JSON, with somebody who meddles each time that progress is told. */
async function reportWhile(directory: string, meddle: (line: string) => void): Promise<string> {
  const clock = createManualClock(NOON)
  let text = ''
  await report(parseFlags(reportOptions, { paths: [directory], format: 'json' }), {
    clock,
    signal: new AbortController().signal,
    print: (more) => (text += more),
    complain: () => undefined,
    rewrite(line) {
      clock.advance(1_000)
      meddle(line)
    },
  })
  return text
}

const build = (n: number): string =>
  lines(entry({ workflow_run_id: `b${String(n).padStart(6, '0')}`, step_name: 'x'.repeat(200) }))
const builds = (from: number, count: number): string =>
  Array.from({ length: count }, (_, i) => build(from + i)).join('')

const once = (action: () => void): (() => void) => {
  let done = false
  return () => {
    if (!done) action()
    done = true
  }
}

test('a file that is truncated and rewritten while it is read stops the report with an error that names it', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(file, builds(0, 10_000))
  const rewriteIt = once(() => {
    truncateSync(file, 0)
    appendFileSync(file, builds(500_000, 12_000))
  })
  await expect(reportWhile(directory, rewriteIt)).rejects.toThrow(`${file} changed while it was being read`)
})

test('a file whose content is another at the second look ends the report with its name', async () => {
  const directory = temporaryDirectory()
  const [first, second] = ['a', 'b'].map((name) => path.join(directory, name, 'audit_trace.jsonl')) as [
    string,
    string,
  ]
  for (const file of [first, second]) mkdirSync(path.dirname(file))
  writeFileSync(first, builds(0, 5_000))
  writeFileSync(second, builds(5_000, 10))
  const exchange = once(() => writeFileSync(second, builds(6_000, 10)))
  const meddled = reportWhile(directory, (line) => line.startsWith('attributing') && exchange())
  await expect(meddled).rejects.toThrow(`${second} changed while it was being read`)
})

test('many files with long lines are gone through in little memory', async () => {
  const directory = temporaryDirectory()
  for (let n = 0; n < 100; n++) {
    const file = path.join(directory, String(n), 'audit_trace.jsonl')
    mkdirSync(path.dirname(file))
    writeFileSync(file, lines(entry(), entry({ error_full: 'x'.repeat(1 << 20) })))
  }
  const history = await readHistory(
    { paths: [directory], fileName: 'audit_trace.jsonl', maxLineBytes: 1 << 24, followSymlinks: false },
    {
      sink: {
        line: () => 'rejected',
        invalidUtf8: () => 'rejected',
        tooLong: () => undefined,
        bytes: () => undefined,
        truncated: () => undefined,
      },
      onFault: () => undefined,
      nowMs: NOON,
      progress: { update: () => undefined, end: () => undefined },
      scratch: createScratch(temporaryDirectory()),
      stopped: () => false,
    },
  )
  const before = memoryInUse()
  let seen = 0
  for (const { text } of history.lines()) {
    if (text.length > 0) seen++
    if (seen === 200) expect(await isFreed('arrayBuffers', before, 20 << 20)).toBe(true)
  }
  expect(seen).toBe(200)
})
