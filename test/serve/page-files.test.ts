import { expect, test } from 'vitest'
import { filesCard } from '../../src/serve/page-files.ts'
import type { FileView } from '../../src/serve/status.ts'
import { emptyStatus, file } from './status-fixture.ts'

/** The last cell of the only row. */
const lastRead = (over: Partial<FileView>): string | undefined =>
  filesCard(emptyStatus({ files: [file({ lastReadAtMs: undefined, ...over })] }))
    .markup.match(/<td[^>]*>[^<]*<\/td>\s*<\/tr>/gu)
    ?.at(-1)
    ?.replaceAll(/<[^>]*>/gu, '')
    .trim()

test('a file says when it was last read', () => {
  expect(lastRead({ lastReadAtMs: emptyStatus().nowMs - 12_000 })).toBe('12 s ago')
})

test('a file that was read to its end before this start says so, and not that it was never read', () => {
  expect(lastRead({})).toBe('before this start')
})

test('a file that has bytes to read, or none at all, was not read yet', () => {
  expect(lastRead({ countedBytes: 0, lagBytes: 1_000 })).toBe('not yet')
  expect(lastRead({ countedBytes: 0, sizeBytes: 0 })).toBe('not yet')
})
