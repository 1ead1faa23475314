import crypto from 'node:crypto'
import { expect, test } from 'vitest'
import { newBuild } from '../../src/attribute/build.ts'
import { inIdOrder } from '../../src/attribute/id-order.ts'

const sorted = (ids: readonly string[]): string[] =>
  inIdOrder(ids.map((id) => newBuild(id))).map((b) => b.runId)

test('ids that begin alike are in the order of the characters behind that, and each comes once', () => {
  const ids = Array.from({ length: 5_000 }, (_, i) => `build-${crypto.hash('md5', `${i}`)}`)
  const heads = (all: readonly string[]): string[] => all.map((id) => id.slice(0, 'build-'.length + 4))
  expect(heads(sorted(ids))).toEqual(heads(ids.toSorted()))
  expect(sorted(ids).toSorted()).toEqual(ids.toSorted())
})

test('ids of any form come once each', () => {
  const ids = ['', 'a', 'ab', '\uffff', 'a\ud800', 'ü', '😀', 'a'.repeat(200), `${'a'.repeat(200)}b`]
  expect(sorted(ids).toSorted()).toEqual(ids.toSorted())
  expect(sorted([])).toEqual([])
  expect(sorted(['only'])).toEqual(['only'])
})
