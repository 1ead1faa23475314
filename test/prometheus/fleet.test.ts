import { execFileSync, type StdioOptions } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, requireGeneration } from '../setup/generations.ts'

const FLEET = path.resolve(import.meta.dirname, '../../prometheus/fleet')
const RULES = path.join(FLEET, 'rules.yml')

/** A counter of one exporter, scraped every 15 s: `values` in promtool's notation. */
const tokens = (instance: string, values: string) => ({
  series: `audit_tokens_total{job="j",instance="${instance}",step="s",phase="rework",error_type="E",context_hash="c",type="prompt"}`,
  values,
})

/** What these are counted as, by the sums of an hour. */
const CASES: readonly [name: string, input: readonly { series: string; values: string }[], sum: number][] = [
  ['an exporter that goes on', [tokens('a', '0x20 0+1x219')], 219],
  [
    'several exporters',
    [tokens('a', '0x20 0+1x199 199x20'), tokens('b', '0x60 7x20 9x160'), tokens('c', '0x240')],
    208,
  ],
  ['one that lives for a minute', [tokens('a', '_x61 0 0 5 11 stale')], 11],
  ['a baseline, which is no increase', [tokens('a', '1000x20 1007x220')], 7],
  [
    'one that was away for half an hour and counted meanwhile',
    [tokens('a', '0x20 3x20 stale _x120 8x80')],
    8,
  ],
  ['one that lost its state within a step', [tokens('a', '0x20 100x65 40x10 45x144')], 105],
  ['one that lost its state between two steps', [tokens('a', '0x20 100x75 40x10 45x134')], 105],
  [
    'one that counted, lost its state and counted again in one step',
    [tokens('a', '0x20 100x62 102 40 45x155')],
    107,
  ],
]

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  test.each(CASES)('the sums of a fleet are exact: %s', async (_, input, sum) => {
    const promtool = await requireGeneration(generation, 'promtool')
    const file = path.join(temporaryDirectory(), 'test.yml')
    const expr = `sum by (error_type) (sum_over_time(audit_fleet:tokens:increase5m{phase="rework"}[70m]))`
    const tests = [
      {
        interval: '15s',
        input_series: input,
        promql_expr_test: [
          { expr, eval_time: '66m', exp_samples: [{ labels: '{error_type="E"}', value: sum }] },
        ],
      },
    ]
    writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '5m', tests }))
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe']
    expect(execFileSync(promtool, ['test', 'rules', file], { encoding: 'utf8', stdio })).toContain('SUCCESS')
  })

  test('promtool accepts the rules and the configurations of a fleet', async () => {
    const promtool = await requireGeneration(generation, 'promtool')
    expect(execFileSync(promtool, ['check', 'rules', RULES], { encoding: 'utf8' })).toContain('SUCCESS')
    for (const name of ['remote-write-panels.yml', 'remote-write-sums.yml'])
      expect(
        execFileSync(promtool, ['check', 'config', path.join(FLEET, name)], { encoding: 'utf8' }),
      ).toContain('SUCCESS')
  })
})
