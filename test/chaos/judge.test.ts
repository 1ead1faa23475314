import { expect, test } from 'vitest'
import { createRandom } from '../../src/simulate/random.ts'
import { seriesKey } from '../setup/exposition.ts'
import { compareTotals } from './judge.ts'
import { entryLine } from './lines.ts'
import { countTruth, samplesOf } from './truth.ts'

const line = entryLine(
  {
    workflow_run_id: 'r',
    step_name: 'scaffold',
    timestamp: '2026-01-01T00:00:00Z',
    prompt_token_count: 5,
    completion_token_count: 3,
  },
  createRandom(1),
)
const truth = countTruth([[line]], false)
const right = new Map([...samplesOf(truth, new Map()), ['audit_builds_in_progress', 1]])
const tokens = seriesKey('audit_tokens_total', {
  step: 'scaffold',
  phase: 'scaffold',
  error_type: '',
  context_hash: 'unknown',
  type: 'prompt',
})

test('a scrape that shows the truth has no mismatch', () => {
  expect(right.get(tokens)).toBe(5)
  expect(compareTotals('here', truth, right)).toEqual([])
})

test.each([
  ['one too many', tokens, 6],
  ['one too few', tokens, 4],
  ['a series that nobody wrote', 'audit_entries_total{step="ghost"}', 1],
  ['a byte missing', 'audit_exporter_read_bytes_total{result="counted"}', line.bytes.length - 1],
  ['a build that is not there', 'audit_builds_in_progress', 0],
])('%s is a mismatch', (_, series, got) => {
  const wrong = new Map(right).set(series, got)
  expect(compareTotals('here', truth, wrong)).toMatchObject([{ series, got }])
})

test('a series that is missing is a mismatch', () => {
  const wrong = new Map(right)
  wrong.delete(tokens)
  expect(compareTotals('here', truth, wrong)).toMatchObject([{ series: tokens, expected: 5, got: undefined }])
})
