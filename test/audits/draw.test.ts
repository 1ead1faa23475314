import { expect, test } from 'vitest'
import { MIN_GROUP } from '../../src/audits/comparison.ts'
import { drawOfBoth } from '../../src/audits/draw.ts'

const VERSIONS = { first: 'v1', second: 'v2' }

/** A draw with that many builds of the one version and the other, and of a third that is not compared. */
const draw = (name: string, v1: number, v2: number) => [
  { draw: name, version: 'v1', n: v1 },
  { draw: name, version: 'v2', n: v2 },
  { draw: name, version: 'v3', n: 1_000 },
]

test('versions are compared within the draw that has most builds of both', () => {
  expect(
    drawOfBoth([...draw('march', 30, 30), ...draw('april', 40, 40), ...draw('may', 35, 35)], VERSIONS),
  ).toBe('april')
})

test('the smaller side decides how large a draw is', () => {
  expect(drawOfBoth([...draw('lopsided', 500, 21), ...draw('even', 25, 25)], VERSIONS)).toBe('even')
})

test('of two draws of one size the first by name is taken, in whichever order they come', () => {
  const [a, b] = [draw('a', 30, 30), draw('b', 30, 30)]
  expect(drawOfBoth([...a, ...b], VERSIONS)).toBe('a')
  expect(drawOfBoth([...b, ...a], VERSIONS)).toBe('a')
})

test('a draw with too few builds of either version is no draw of both', () => {
  expect(drawOfBoth(draw('small', MIN_GROUP - 1, 500), VERSIONS)).toBeUndefined()
  expect(drawOfBoth(draw('enough', MIN_GROUP, MIN_GROUP), VERSIONS)).toBe('enough')
})

test('a draw that knows only one of the versions is no draw of both', () => {
  expect(drawOfBoth([{ draw: 'one', version: 'v1', n: 500 }], VERSIONS)).toBeUndefined()
})
