import { expect, test } from 'vitest'
import { FIELD_NAMES, FIELDS, type FieldName } from '../../src/entry/fields.ts'
import { parseLine } from '../../src/entry/parse.ts'
import type { Entry } from '../../src/entry/parsed.ts'

const BARE = { workflow_run_id: 'a', step_name: 'b', timestamp: '2026-11-20T09:00:00.123Z' }

function read(fields: object): Entry {
  const parsed = parseLine(JSON.stringify({ ...BARE, ...fields }))
  if (!parsed.ok) throw new Error(`${parsed.fault.field}: ${parsed.fault.cause}`)
  return parsed.entry
}

const readAs = (name: FieldName): keyof Entry | null => FIELDS[name].readAs

test.each(FIELD_NAMES.filter((name) => readAs(name) !== null))(
  'every example of %s is read as the value that its field names',
  (name) => {
    const value = readAs(name)
    if (value === null) throw new Error('filtered out above')
    for (const example of FIELDS[name].examples) {
      expect(read({ [name]: example })[value], String(example)).not.toEqual(read({})[value])
    }
  },
)

test.each(FIELD_NAMES.filter((name) => readAs(name) === null))(
  '%s is checked, and changes nothing',
  (name) => {
    expect(read({ [name]: FIELDS[name].examples[0] })).toEqual(read({}))
    expect(parseLine(JSON.stringify({ ...BARE, [name]: { wrong: 'type' } }))).toMatchObject({
      fault: { field: name },
    })
  },
)
