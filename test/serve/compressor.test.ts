import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { createCompressor } from '../../src/serve/compressor.ts'

const textOf = (lines: number): string =>
  Array.from({ length: lines }, (_, i) => `audit_entries_total{step="ü${i}"} ${Math.sin(i)}\n`).join('')

test('each of many texts that are compressed at once is whole and alone', async () => {
  const texts = [3, 30_000, 0, 1, 400, 20_000, 7].map(textOf)
  const compress = createCompressor()
  const compressed = await Promise.all(texts.map((text) => compress(text)))
  expect(compressed.map((bytes) => gunzipSync(bytes).toString())).toEqual(texts)
})

test('one that fails leaves the next ones alone', async () => {
  const compress = createCompressor()
  const failing = compress(undefined as unknown as string)
  const next = compress(textOf(10))
  await expect(failing).rejects.toThrow('chunk')
  expect(gunzipSync(await next).toString()).toBe(textOf(10))
})
