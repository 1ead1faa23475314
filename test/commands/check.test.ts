import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { check, type CheckOptions } from '../../src/commands/check.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

const OPTIONS = { fileName: 'audit_trace.jsonl', maxLineBytes: 1 << 20, followSymlinks: false, strict: false }

async function checked(root: string, options: Partial<CheckOptions> = {}) {
  const printed: string[] = []
  const result = await check({ ...OPTIONS, paths: [root], ...options }, (line) => printed.push(line))
  return { ...result, printed }
}

/** A directory with one trace of this content. */
function traceOf(content: string, name = 'audit_trace.jsonl'): string {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, name), content)
  return directory
}

test('strict mode names unknown keys that look like a misspelt field, and the right name', async () => {
  const root = traceOf(lines({ ...entry(), promptTokenCount: 5, prompt_tokens_count: 5, note: 'fine' }))
  expect((await checked(root)).faults).toBe(0)
  const { faults, printed } = await checked(root, { strict: true })
  expect(faults).toBe(2)
  expect(printed[0]).toMatch(/audit_trace\.jsonl:1: promptTokenCount: .*prompt_token_count/)
  expect(printed[1]).toMatch(/audit_trace\.jsonl:1: prompt_tokens_count: .*prompt_token_count/)
})

test('paths without a single trace are a fault', async () => {
  const root = temporaryDirectory()
  mkdirSync(path.join(root, 'build-1'))
  const { faults, printed } = await checked(root)
  expect([faults, printed]).toEqual([1, [expect.stringContaining('audit_trace.jsonl')]])
  expect(printed[0]).toContain(path.basename(root))
})

test('control characters of a trace are printed escaped', async () => {
  const root = traceOf('{"a": \u001b[31m\u0007\u202e\n')
  const { printed } = await checked(root)
  expect(printed).toHaveLength(1)
  // eslint-disable-next-line no-control-regex -- none of these may be printed
  expect(printed[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  expect(printed[0]).toContain('\\u001b[31m\\u0007\\u202e')
  const misspelt = await checked(traceOf(lines({ ...entry(), 'Model\u001b': 'x' })), { strict: true })
  expect(misspelt.printed[0]).toContain(':1: Model\\u001b: ')
})

test('a newline in the name of a file does not break the line', async () => {
  const root = traceOf('torn\n', 'two\nlines\r.jsonl')
  const { printed } = await checked(path.join(root, 'two\nlines\r.jsonl'))
  expect(printed).toEqual([expect.stringMatching(/two\\nlines\\r\.jsonl:1: /)])
})

test('a FIFO is a fault, and a link that leads out of the paths is named', async () => {
  const root = traceOf(lines(entry()))
  const outside = traceOf(lines(entry()))
  symlinkSync(outside, path.join(root, 'linked'))
  const linked = await checked(root)
  expect([linked.files, linked.faults]).toEqual([1, 0])
  expect(linked.printed).toEqual([expect.stringContaining(path.join(root, 'linked'))])
  const fifo = path.join(outside, 'fifo')
  execFileSync('mkfifo', [fifo])
  expect(await checked(fifo)).toMatchObject({ files: 0, faults: 1, printed: [expect.stringContaining(fifo)] })
})
