import { existsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeDirectory, makeDirectorySync } from '../src/make-directory.ts'
import { temporaryDirectory } from './setup/exporter.ts'

const versions = [
  ['asynchronous', makeDirectory],
  ['synchronous', async (directory: string) => makeDirectorySync(directory)],
] as const

test.each(versions)('the %s version creates missing parents, and accepts what exists', async (_, make) => {
  const directory = path.join(temporaryDirectory(), 'a', 'b', 'c')
  await make(directory)
  await make(directory)
  await make(path.dirname(directory))
  expect(statSync(directory).isDirectory()).toBe(true)
})

test.each(versions)('the %s version fails where a file is in the way', async (_, make) => {
  const file = path.join(temporaryDirectory(), 'file')
  writeFileSync(file, '')
  await expect(make(file)).rejects.toThrow('EEXIST')
  await expect(make(path.join(file, 'a', 'b'))).rejects.toThrow('ENOTDIR')
})

test.runIf(existsSync('/proc/self')).each(versions)(
  'the %s version fails below a directory that answers ENOENT although it exists',
  async (_, make) => {
    await expect(make('/proc/x')).rejects.toThrow('ENOENT')
    await expect(make('/proc/x/y/z')).rejects.toThrow('ENOENT')
  },
)
