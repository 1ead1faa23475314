import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FIELD_NAMES, FIELDS } from '../../src/entry/fields.ts'
import { entryJsonSchema } from '../../src/entry/json-schema.ts'
import { parseLine } from '../../src/entry/parse.ts'
import { entry } from '../setup/entries.ts'
import { requireProgram } from '../setup/programs.ts'

const FILE = path.resolve(import.meta.dirname, '../../docs/entry.schema.json')
const CASES = path.resolve(import.meta.dirname, '../golden/cases')

const schema = (): unknown => JSON.parse(readFileSync(FILE, 'utf8'))

/** What a JSON Schema validator that is not ours says of each value. */
function areValid(values: readonly unknown[]): boolean[] {
  const program = requireProgram('jsonschema')
  const output = execFileSync(
    path.join(path.dirname(program), 'python3'),
    [path.join(import.meta.dirname, 'validate.py')],
    { input: JSON.stringify({ schema: schema(), values }), encoding: 'utf8' },
  )
  return JSON.parse(output) as boolean[]
}

const isRead = (value: unknown): boolean => parseLine(JSON.stringify(value)).ok

test('docs/entry.schema.json is what `npm run generate` writes', () => {
  expect(schema()).toEqual(entryJsonSchema())
})

test('every field has a description and an example, and the schema accepts the examples', () => {
  const { properties } = schema() as { properties: Record<string, { description?: string }> }
  expect(Object.keys(properties)).toEqual(FIELD_NAMES)
  for (const name of FIELD_NAMES) expect(properties[name]?.description, name).toBe(FIELDS[name].about)
  const values = FIELD_NAMES.flatMap((name) =>
    FIELDS[name].examples.map((example) => ({ ...entry(), [name]: example })),
  )
  expect(areValid(values)).toEqual(values.map(() => true))
})

test('the schema accepts the lines of the golden cases', () => {
  const values = readdirSync(CASES)
    .filter((name) => name.endsWith('.jsonl'))
    .flatMap((name) => readFileSync(path.join(CASES, name), 'utf8').split('\n'))
    .filter((line) => parseLine(line).ok)
    .map((line) => JSON.parse(line) as unknown)
  expect(values.length).toBeGreaterThan(30)
  expect(areValid(values)).toEqual(values.map(() => true))
})

test('the schema accepts a value exactly if the reader does', () => {
  const anything = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      '',
      'x',
      'N/A',
      'pass',
      'PASS',
      'n/A',
      'passed',
      0,
      -1,
      1.5,
      2 ** 53 - 1,
      2 ** 53,
      true,
      {},
    ),
    fc.array(fc.constantFrom('a', null, 1), { maxLength: 2 }),
  )
  const name = fc.constantFrom(...FIELD_NAMES, 'unknown')
  const values = fc.sample(
    fc
      .array(fc.tuple(name, anything), { maxLength: 3 })
      .map((fields) => ({ ...entry(), ...Object.fromEntries(fields) })),
    { numRuns: 2_000, seed: 1 },
  )
  const times = [
    'T10:00Z',
    'T10:00:00,5+02',
    'T10:00:00',
    'T24:00:00Z',
    'T10:00:00.123456-0730',
    ' 10:00:00Z',
    't10:00:00 +0100',
    ' 10:00:00 UTC',
    ' 10:00:00  UTC',
    '  10:00:00z',
  ]
  const timestamps = ['2026-11-20', '2026-02-29', '2024-02-29', '2026-13-01'].flatMap((day) =>
    times.flatMap((time) => [`${day}${time}`, `${day}${time}`.replaceAll(/-(?=\d\d)|:/g, '')]),
  )
  const others: unknown[] = [
    null,
    [],
    'text',
    1,
    {},
    { ...entry(), timestamp: undefined },
    ...timestamps.map((timestamp) => ({ ...entry(), timestamp })),
  ]
  const all = [...values, ...others]
  const read = all.map(isRead)
  expect(new Set(read)).toEqual(new Set([true, false]))
  expect(areValid(all)).toEqual(read)
})
