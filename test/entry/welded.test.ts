import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { parseLine } from '../../src/entry/parse.ts'
import { splitWelded } from '../../src/entry/welded.ts'
import { entry } from '../setup/entries.ts'

const NEWLINE_BYTES = 1

/** The run ids of the whole entries, and the text of everything else. */
function split(line: Buffer | string) {
  const bytes = Buffer.from(line)
  const parts = splitWelded(bytes, bytes.length + NEWLINE_BYTES)
  const text = ({ offset, length }: { offset: number; length: number }) =>
    bytes.subarray(offset, offset + length).toString()
  const ids: string[] = []
  const torn: string[] = []
  for (const part of parts ?? []) {
    if (part.parsed.ok) ids.push(part.parsed.entry.runId)
    else torn.push(text(part))
  }
  return { parts, ids, torn }
}

const json = (runId: string, fields: object = {}): string =>
  JSON.stringify({ ...entry(), workflow_run_id: runId, ...fields })
const A = json('a')
const B = json('b')

test.each([
  [
    'a torn record and a whole one',
    `{"workflow_run_id":"r1","step_na${A}`,
    ['a'],
    ['{"workflow_run_id":"r1","step_na'],
  ],
  ['two whole records', `${A}${B}`, ['a', 'b'], []],
  ['a whole record and a torn one', `${A}{"workflow`, ['a'], ['{"workflow']],
  ['torn, whole, torn, whole', `{"x":"${A}{"y":[${B}`, ['a', 'b'], ['{"x":"', '{"y":[']],
  ['spaces between records', ` ${A} \t${B} \r`, ['a', 'b'], []],
  ['a comma between records', `${A},${B}`, ['a', 'b'], [',']],
  ['a complete object that is no entry', `{"a":{}}${A}`, ['a'], ['{"a":{}}']],
  ['an entry as a value in a whole record', `${json('a', { previous: entry() })}{`, ['a'], ['{']],
  ['a torn record cut behind a colon', `{"prompt_token_count":${A}`, ['a'], ['{"prompt_token_count":']],
  ['a torn record cut in an array', `{"files_touched":["a",${A}`, ['a'], ['{"files_touched":["a",']],
  ['a torn record cut in an escape', `{"error_full":"\\u00${A}`, ['a'], ['{"error_full":"\\u00']],
])('%s', (_, line, ids, torn) => {
  expect(split(line)).toMatchObject({ ids, torn })
})

test.each([
  ['a torn record', A.slice(0, -1)],
  ['text without any object', 'torn'],
  ['an entry as a value in a torn record', `{"previous":${A},"step_name":"x`],
  ['an entry in an array in a torn record', `{"all":[${A}],"step_name":"x`],
  ['the text of an entry in a string of a torn record', json('a', { error_full: A }).slice(0, -1)],
  ['the text of an entry without its quotes', `{"error_full":"${A.replaceAll('"', "'")}"`],
])('%s holds no whole entry', (_, line) => {
  expect(splitWelded(Buffer.from(line), line.length + NEWLINE_BYTES)).toBeUndefined()
})

test('a record that was cut within a character does not cost the next one', () => {
  const torn = Buffer.from('{"error_full":"ü').subarray(0, -1)
  const { ids, parts } = split(Buffer.concat([torn, Buffer.from(A)]))
  expect(ids).toEqual(['a'])
  expect(parts?.[0]).toMatchObject({ length: torn.length, parsed: { fault: { reason: 'invalid_utf8' } } })
})

test('a complete object that is no entry is rejected with its field', () => {
  expect(split(`${A}${json('b', { model: 7 })}`).parts?.[1]?.parsed).toMatchObject({
    fault: { reason: 'schema', field: 'model' },
  })
})

test('a hostile line does not take more than a bounded time', () => {
  const line = Buffer.from('{"a":'.repeat(100_000) + A)
  const startedMs = performance.now()
  splitWelded(line, line.length + NEWLINE_BYTES)
  expect(performance.now() - startedMs).toBeLessThan(10_000)
})

/** Texts that look like the structure of a line. */
const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        ':',
        ',',
        '\\',
        '\n',
        '{"',
        '"}',
        '}{',
        '{}',
        'ü',
        '😀',
        '\u2028',
      ),
      fc.constantFrom(A, '"workflow_run_id":"z"', '{"workflow_run_id":"z",', 'true', '1', ' '),
      fc.string({ maxLength: 5 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join(''))

const hostileEntry: fc.Arbitrary<OptimizationLogEntry> = fc
  .record(
    {
      error_full: hostileText,
      model: hostileText,
      files_touched: fc.array(hostileText, { maxLength: 3 }),
      instruction_version: hostileText,
      prompt_token_count: fc.nat(),
      unknown: fc.oneof(hostileText, fc.constantFrom({}, { deep: [{}] }, [], [1, {}], true, null)),
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc
      .shuffledSubarray(Object.keys({ ...entry(), ...fields }), { minLength: 3 + Object.keys(fields).length })
      .map((keys) => {
        const all = { ...entry(), ...fields } as Record<string, unknown>
        return Object.fromEntries(keys.map((key) => [key, all[key]])) as unknown as OptimizationLogEntry
      }),
  )

test('of any weld of torn and whole records exactly the whole ones are found, and every byte is accounted for', () => {
  const piece = fc.tuple(hostileEntry, fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 2 }))
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 5 }), (pieces) => {
      const wanted: string[] = []
      const bytes = pieces.map(([given, cut], index) => {
        const whole = Buffer.from(JSON.stringify({ ...given, workflow_run_id: `run-${index}` }))
        if (cut === null) wanted.push(`run-${index}`)
        return cut === null ? whole : whole.subarray(0, 1 + Math.floor(cut * (whole.length - 2)))
      })
      const line = Buffer.concat(bytes)
      const { parts, ids } = split(line)
      expect(ids).toEqual(wanted)
      if (parts === undefined) return
      let end = 0
      for (const { offset, length, parsed } of parts) {
        expect(offset).toBe(end)
        end += length
        if (parsed.ok) expect(parseLine(line.toString('utf8', offset, end))).toEqual(parsed)
      }
      expect(end).toBe(line.length + NEWLINE_BYTES)
    }),
    { numRuns: 3_000 },
  )
})
