import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { readPriceList, readPrices } from '../../src/config/prices.ts'
import { UsageError } from '../../src/config/usage-error.ts'
import { temporaryDirectory } from '../setup/exporter.ts'

function fileWith(text: string): string {
  const file = path.join(temporaryDirectory(), 'prices.yml')
  writeFileSync(file, text)
  return file
}

const YAML = `
# US dollars per million tokens
gemini-2.5-pro:
  input: 1.25
  cached: 0.31
  output: 10
gemini-2.5-flash: { input: 0.3, output: 2.5 }
`
const JSON_TEXT =
  '{\n\t"gemini-2.5-pro": {"input": 1.25, "cached": 0.31, "output": 10},\n\t"gemini-2.5-flash": {"input": 0.3, "output": 2.5}\n}\n'

test.each([
  ['YAML', YAML],
  ['JSON', JSON_TEXT],
])('prices are read from %s', async (_, text) => {
  expect(Object.entries(await readPrices(fileWith(text)))).toEqual([
    ['gemini-2.5-pro', { input: 1.25, cached: 0.31, output: 10 }],
    ['gemini-2.5-flash', { input: 0.3, output: 2.5 }],
  ])
})

test('without the flag there are no prices', async () => {
  expect(await readPriceList(undefined)).toBeUndefined()
})

test.each([
  ['a price that is text', 'a:\n  input: cheap\n  output: 1\n', ':2: a.input: is "cheap", not a number'],
  ['a negative price', 'a:\n  input: 1\n  output: -1\n', ':3: a.output: is negative'],
  ['a missing price', '# prices\na:\n  input: 1\n', ':3: a.output: is missing'],
  [
    'an unknown key',
    'b: {input: 1, output: 1}\na:\n  input: 1\n  output: 1\n  outptu: 2\n',
    ':3: a: has unknown keys: outptu (known: input, cached, output)',
  ],
  ['a model without prices', 'a: 3\n', ':1: a: is not a price: input, cached and output'],
  ['a list', '- a\n', ': the file is not a list of models with their prices'],
  ['an empty file', '', ': the file is not a list of models with their prices'],
  ['a text that is neither YAML nor JSON', 'a: {input: 1\nb: }', 'is not YAML or JSON'],
  [
    'a model that is named twice',
    'a: {input: 1, output: 1}\na: {input: 2, output: 1}\n',
    ':2: is not YAML or JSON: Map keys must be unique',
  ],
])('%s is refused, with the place and the cause', async (_, text, told) => {
  const file = fileWith(text)
  const failed = readPrices(file)
  await expect(failed).rejects.toThrow(UsageError)
  await expect(failed).rejects.toThrow(`--prices: ${file}`)
  await expect(failed).rejects.toThrow(told)
})

test('a file that cannot be read is named', async () => {
  const file = path.join(temporaryDirectory(), 'missing.yml')
  await expect(readPrices(file)).rejects.toThrow(`--prices: ${file}: cannot be read: ENOENT`)
})
