import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { stringify } from 'yaml'
import { livesGroups } from '../../prometheus/lives.ts'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { type Generation, requireGeneration } from './generations.ts'

export interface Series {
  readonly series: string
  /** Samples in promtool's notation, one every 15 s. */
  readonly values: string
}

export interface Answer {
  readonly expr: string
  /** Evaluation time, a PromQL duration after the first sample. */
  readonly at: string
  /** Values by labels, such as `{a="b"}`. */
  readonly samples: Readonly<Record<string, number>>
}

export interface Expectation extends Answer {
  readonly input: readonly Series[]
}

/** The rules about the lives of these series, as if no rule had been evaluated before `sinceMinute`. */
function livesOf(input: readonly Series[], sinceMinute: number): object {
  const names = new Set(['audit_lives', ...input.map(({ series }) => series.replace(/\{.*/, ''))])
  const groups = livesGroups(DEFAULT_OPTIONS).map((group) => ({
    ...group,
    rules: group.rules
      .filter(({ record }) => names.has(record.replace(/:.*/, '')))
      .map((rule) =>
        rule.expr === 'vector(1)'
          ? { ...rule, expr: `vector(1) and on () (vector(time()) >= ${sinceMinute * 60})` }
          : rule,
      ),
  }))
  return { groups }
}

/**
 * Expects that an expression over the series has exactly the expected values in a generation of Prometheus, with the rules
 * of prometheus/rules/lives.yml.
 */
export const expectSamples = (generation: Generation, { input, ...answer }: Expectation): Promise<void> =>
  expectAnswers(generation, input, [answer])

/** The same of several expressions over the same series. */
export async function expectAnswers(
  generation: Generation,
  input: readonly Series[],
  answers: readonly Answer[],
  { sinceMinute = 0 } = {},
): Promise<void> {
  const promtool = await requireGeneration(generation, 'promtool')
  const directory = mkdtempSync(path.join(tmpdir(), 'promtool-'))
  try {
    const file = path.join(directory, 'test.yml')
    writeFileSync(path.join(directory, 'rules.yml'), stringify(livesOf(input, sinceMinute)))
    const promql_expr_test = answers.map(({ expr, at, samples }) => ({
      expr,
      eval_time: at,
      exp_samples: Object.entries(samples).map(([labels, value]) => ({ labels, value })),
    }))
    // promtool loads samples up to the last whole minute that a query asks for.
    const last = { expr: 'vector(1)', eval_time: '6h', exp_samples: [{ labels: '{}', value: 1 }] }
    const tests = [{ interval: '15s', input_series: input, promql_expr_test: [...promql_expr_test, last] }]
    writeFileSync(file, stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }))
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
