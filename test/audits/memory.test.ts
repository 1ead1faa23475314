import { expect, test } from 'vitest'
import {
  databaseShare,
  databaseThreads,
  explainMemory,
  fitsInMemory,
  mayFitInMemory,
  memoryBudget,
  requireMemory,
  sumParts,
} from '../../src/audits/memory.ts'

const MIB = 1024 * 1024
const GIB = 1024 * MIB

test("a report stays below what was asked for, and below the container's limit", () => {
  expect(memoryBudget(4 * GIB, undefined)).toBe(4 * GIB)
  expect(memoryBudget(4 * GIB, 512 * MIB)).toBe(512 * MIB)
  expect(memoryBudget(256 * MIB, 512 * MIB)).toBe(256 * MIB)
})

test('entries that certainly fit are held in memory; more that may fit are only where nothing can be written', () => {
  expect(fitsInMemory(400_000, GIB)).toBe(true)
  expect(fitsInMemory(1_000_000, GIB)).toBe(false)
  expect(fitsInMemory(90_000, 256 * MIB)).toBe(false)
  expect(mayFitInMemory(90_000, 256 * MIB)).toBe(true)
  expect(mayFitInMemory(300_000, 256 * MIB)).toBe(false)
})

test('the more entries for the memory, the smaller the parts in which builds are summed up', () => {
  expect(sumParts(0, GIB)).toBe(1)
  expect(sumParts(400_000, GIB)).toBe(1)
  expect(sumParts(10_000_000, GIB)).toBe(23)
  expect(sumParts(10_000_000, 4 * GIB)).toBeLessThan(23)
  expect(sumParts(1_000_000, 256 * MIB)).toBeGreaterThan(4)
})

test('a limit at which the kernel would end the process is refused with what is needed, whether or not entries can be kept in files', () => {
  expect(() => requireMemory(30_907, 128 * MIB)).toThrow(
    /30,907 entries need about 181 MiB of memory, and this process may use 128 MiB/u,
  )
  expect(() => requireMemory(10_000_000, 200 * MIB)).toThrow(/10,000,000 entries need about 256 MiB/u)
  for (const limit of [256 * MIB, undefined]) expect(() => requireMemory(10_000_000, limit)).not.toThrow()
})

test('an error of DuckDB for want of memory says what to do; another one stays as it is', () => {
  const cause = new Error('Out of Memory Error: could not allocate block of size 256.0 KiB')
  expect(explainMemory(cause, 300_000, 512 * MIB)).toMatchObject({
    message: expect.stringMatching(
      /512 MiB of memory are too little for 300,000 entries.*--memory/u,
    ) as string,
    cause,
  })
  const other = new Error('Parser Error')
  expect(explainMemory(other, 300_000, 512 * MIB)).toBe(other)
})

test('DuckDB gets what is left beside Node, never less than it can start with', () => {
  expect(databaseShare(256 * MIB) / MIB).toBeCloseTo(105, 0)
  expect(databaseShare(1024 * MIB) / MIB).toBeCloseTo(451, 0)
  expect(databaseShare(64 * MIB)).toBe(32 * MIB)
})

test('DuckDB gets a thread for each 200 MiB of its share, at most one per core', () => {
  expect(databaseThreads(256 * MIB, 8)).toBe(1)
  expect(databaseThreads(GIB, 8)).toBe(2)
  expect(databaseThreads(16 * GIB, 8)).toBe(8)
})
