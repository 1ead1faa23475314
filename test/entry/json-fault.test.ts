import { expect, test } from 'vitest'
import { parseLine } from '../../src/entry/parse.ts'

const START = '{"workflow_run_id":"b","step_name":"fix","timestamp":"2026-11-20T10:00:00Z"'

function causeOf(line: string): string {
  const parsed = parseLine(line)
  if (parsed.ok || parsed.fault.reason !== 'invalid_json') throw new Error(`not invalid_json: ${line}`)
  return parsed.fault.cause
}

test.each([
  [`${START},"cost_usd":NaN}`, 'no such number'],
  [`${START}, "cost_usd": -Infinity, "model": "m"}`, 'no such number'],
  [`${START},"cost_usd":nan}`, 'no such number'],
  [`${START},"model":None}`, 'json.dumps'],
  [`${START},"ok": True}`, 'json.dumps'],
  [`${START},"model":undefined}`, 'undefined'],
  [`${START.replaceAll('"', "'")}}`, 'double quotes'],
  [`${START},}`, 'comma'],
  [`${START},"files_touched":["a", ]}`, 'comma'],
  [`${START},"cost_usd": ,"model":"m"}`, 'missing after the colon'],
  [`${START},"cost_usd":}`, 'missing after the colon'],
  ['{\0"\0a\0"\0', 'UTF-8'],
  ['{', 'one line'],
  ['  "prompt_token_count": 5,', 'one line'],
  ['  "files_touched": [', 'one line'],
  ['    "src/index.ts",', 'one line'],
  ['}', 'one line'],
])('the cause of %j names the mistake', (line, hint) => {
  expect(causeOf(line)).toContain(hint)
})

test.each([
  [`${START},"error_full":"torn: NaN, None, '`],
  [`${START},"error_full":"NaN",`],
  [`${START},"cost_usd":nanometre}`],
  [`${START}} trailing`],
  ['not JSON at all'],
])('nothing is guessed about %j', (line) => {
  const cause = causeOf(line)
  expect(cause).not.toMatch(/\. (JSON|This|Remove|A value|There|Each)/)
})

test('a long hostile line is answered at once', () => {
  const startedAt = performance.now()
  for (const filler of ['"a":', '{', ' ', '"', '"a" ', ',']) causeOf(`{${filler.repeat(300_000)}`)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
})
