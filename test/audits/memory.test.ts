import { expect, test } from 'vitest'
import { databaseShare, explainMemory, requireMemory } from '../../src/audits/memory.ts'

const MIB = 1024 * 1024

test('entries that need more than the limit are refused with the memory that they need', () => {
  expect(() => requireMemory(300_000, 256 * MIB)).toThrow(
    /300,000 entries need about \d{3} MiB of memory, and this process may use 256 MiB/u,
  )
})

test('entries that fit are not refused, nor is anything without a limit', () => {
  expect(() => {
    requireMemory(90_000, 256 * MIB)
    requireMemory(300_000, 512 * MIB)
    requireMemory(100_000_000, undefined)
  }).not.toThrow()
})

test('an error of DuckDB for want of memory says how much is needed; another one stays as it is', () => {
  const cause = new Error('Out of Memory Error: could not allocate block of size 256.0 KiB')
  expect(explainMemory(cause, 300_000, 512 * MIB)).toMatchObject({
    message: expect.stringContaining('Raise') as string,
    cause,
  })
  const other = new Error('Parser Error')
  expect(explainMemory(other, 300_000, 512 * MIB)).toBe(other)
})

test('DuckDB gets what is left beside Node, never less than it can start with', () => {
  expect(databaseShare(256 * MIB) / MIB).toBeCloseTo(105, 0)
  expect(databaseShare(1024 * MIB) / MIB).toBeCloseTo(719, 0)
  expect(databaseShare(64 * MIB)).toBe(32 * MIB)
})
