import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { completeFormatPage, formatCases } from '../../docs/format-page.ts'
import { check } from '../../src/commands/check.ts'
import type { LinePlace } from '../../src/events.ts'
import { startExporter, temporaryDirectory } from '../setup/exporter.ts'

const root = path.resolve(import.meta.dirname, '../..')
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const page = read('docs/format.md')
const cases = formatCases(page)

/** A directory with a trace: one line for each row of the table. */
function traceOfTheTable(): string {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), cases.map(({ line }) => `${line}\n`).join(''))
  return directory
}

/** What the table says of each refused row: the number of its line, and the cause. */
const refused = cases.flatMap(({ isRead, note }, i) => (isRead ? [] : [{ line: i + 1, cause: note }]))

test('docs/format.md is what `npm run generate` writes, with both writers', () => {
  expect(completeFormatPage(page, read)).toBe(page)
  expect(page).toContain(read('docs/writers/audit_trace.py').trimEnd())
  expect(page).toContain(read('docs/writers/audit-trace.sh').trimEnd())
})

test('`check` refuses exactly the rows that the table says are refused, with the cause that it shows', async () => {
  expect(refused.length).toBeGreaterThan(10)
  expect(cases.length - refused.length).toBeGreaterThan(5)
  const printed: string[] = []
  const options = {
    fileName: 'audit_trace.jsonl',
    maxLineBytes: 1 << 20,
    followSymlinks: false,
    strict: true,
  }
  await check({ ...options, paths: [traceOfTheTable()] }, (line) => printed.push(line))
  const found = printed.map((text) => {
    const [, line, cause] = /audit_trace\.jsonl:(\d+): (?:[a-z_]+: )?(.*)$/.exec(text) ?? []
    return { line: Number(line), cause }
  })
  expect(found).toEqual(refused)
})

test('the daemon counts the other rows, and rejects those that `check` refuses with the same causes', async () => {
  const directory = traceOfTheTable()
  const exporter = await startExporter({ roots: [directory], state: temporaryDirectory() })
  const rejected = exporter.told
    .filter(({ event }) => event === 'lineRejected')
    .map(({ args: [place, , , cause] }) => ({ line: (place as LinePlace).line, cause }))
  expect(rejected).toEqual(refused)
  const counted = [...(await exporter.scrape())].filter(([name]) => name.startsWith('audit_entries_total'))
  expect(counted.reduce((sum, [, value]) => sum + value, 0)).toBe(cases.length - refused.length)
})
