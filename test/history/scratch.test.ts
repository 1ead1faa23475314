import path from 'node:path'
import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createScratch, explainSpace } from '../../src/history/scratch.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

test('nothing is created before a temporary file is needed, and nothing is left at the end', () => {
  const parent = temporaryDirectory()
  const scratch = createScratch(parent)
  expect(readdirSync(parent)).toEqual([])
  expect(scratch.directory()).toBe(scratch.directory())
  expect(readdirSync(parent)).toHaveLength(1)
  scratch.remove()
  expect(readdirSync(parent)).toEqual([])
})

test('a directory that cannot be written is named, with the flag that chooses another one', () => {
  const missing = path.join(temporaryDirectory(), 'missing')
  expect(() => createScratch(missing).directory()).toThrow(
    new RegExp(`--temp: cannot create a directory in ${missing}.*AUDIT_TEMP`, 'u'),
  )
})

test.each([
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
  new Error('database or disk is full'),
  new Error('IO Error: Could not write file "rows.duckdb": No space left on device'),
  new Error(
    "Out of Memory Error: failed to offload data block of size 256.0 KiB (1.0 GiB/1.0 GiB used). This limit was set by the 'max_temp_directory_size' setting.",
  ),
])('a full disk is named, with what to do: %s', (error) => {
  expect(explainSpace(error, '/var/tmp')).toMatchObject({
    message: expect.stringMatching(/No space left for temporary files in \/var\/tmp.*--temp/u) as string,
    cause: error,
  })
})

test('another error stays as it is', () => {
  const error = new Error('Parser Error')
  expect(explainSpace(error, '/var/tmp')).toBe(error)
})
