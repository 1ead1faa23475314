import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { newBuild, OUTCOMES, type BuildState } from '../../src/attribute/build.ts'
import { readBuild, SELECT_BUILD, writeBuild } from '../../src/attribute/build-rows.ts'
import { runHash } from '../../src/state/run-hash.ts'
import { openStore } from '../../src/state/store.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { HASH_A, HASH_B } from '../setup/entries.ts'

const OPEN: BuildState = {
  ...newBuild('run-1', runHash('run-1'), 1),
  contextFileHash: HASH_A,
  failingErrorType: 'TSC_ERROR',
  failingLogChars: 12.5,
  failed: true,
  passedStep: true,
  reworkSteps: 2,
  tokens: 1234.5,
  startedMs: 1_795_177_200_000.25,
  lastEntryMs: 1_795_177_230_000,
  idleSinceMs: 1_795_177_240_000,
  instructions: ['implement\0v1'],
}

/** Writes the builds one after the other, and reads the row of the last. */
function stored(...builds: BuildState[]): Record<string, string | number | bigint | null | Uint8Array> {
  const store = openStore(path.join(temporaryDirectory(), 'state'))
  for (const build of builds) {
    store.commit([{ write: (transaction) => writeBuild(transaction, build), committed: () => undefined }])
  }
  const { runHash: hash, runId } = builds.at(-1)!
  const [row] = store.all(SELECT_BUILD, hash, runId)
  store.close()
  return row!
}

test('an open build is read as it was written', () => {
  expect(readBuild(stored(OPEN))).toEqual(OPEN)
})

describe.each(OUTCOMES)('a build closed as %s', (outcome) => {
  const closed: BuildState = { ...OPEN, outcome, closingContextFileHash: HASH_A }

  test('keeps its outcome by name, and what its late entries need', () => {
    const row = stored(OPEN, closed)
    expect(row['outcome']).toBe(outcome)
    expect([row['tokens'], row['instructions']]).toEqual([null, null])
    expect(readBuild(row)).toMatchObject({
      outcome,
      contextFileHash: HASH_A,
      closingContextFileHash: HASH_A,
      failingErrorType: 'TSC_ERROR',
      failingLogChars: 12.5,
      lastEntryMs: OPEN.lastEntryMs,
    })
  })

  test('tells the context that it closed with from that of a late entry', () => {
    const late = { ...closed, contextFileHash: HASH_B }
    expect(readBuild(stored(late))).toMatchObject({ contextFileHash: HASH_B, closingContextFileHash: HASH_A })
    const unknown = { ...late, closingContextFileHash: undefined }
    const read = readBuild(stored(unknown))
    expect([read.contextFileHash, read.closingContextFileHash]).toEqual([HASH_B, undefined])
  })
})

test('a row with an outcome of another name is refused, not taken for another outcome', () => {
  expect(() => readBuild({ ...stored(OPEN), outcome: 'second_pass' })).toThrow(/build run-1.*outcome/s)
})
