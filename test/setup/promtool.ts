import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { stringify } from 'yaml'
import { type Generation, requireGeneration } from './generations.ts'

export interface Series {
  readonly series: string
  /** Samples in promtool's notation, one every 15 s. */
  readonly values: string
}

export interface Expectation {
  readonly input: readonly Series[]
  readonly expr: string
  /** Evaluation time, a PromQL duration after the first sample. */
  readonly at: string
  /** Values by labels, such as `{a="b"}`. */
  readonly samples: Readonly<Record<string, number>>
}

/** Expects that an expression over the series has exactly the expected values in a generation of Prometheus. */
export async function expectSamples(generation: Generation, expectation: Expectation): Promise<void> {
  const { input, expr, at, samples } = expectation
  const promtool = await requireGeneration(generation, 'promtool')
  const directory = mkdtempSync(path.join(tmpdir(), 'promtool-'))
  try {
    const file = path.join(directory, 'test.yml')
    const expected = Object.entries(samples).map(([labels, value]) => ({ labels, value }))
    const promql_expr_test = [{ expr, eval_time: at, exp_samples: expected }]
    const tests = [{ interval: '15s', input_series: input, promql_expr_test }]
    writeFileSync(file, stringify({ rule_files: [], evaluation_interval: '15s', tests }))
    expect(
      execFileSync(promtool, ['test', 'rules', file], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    ).toContain('SUCCESS')
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
