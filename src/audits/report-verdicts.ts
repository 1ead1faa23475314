import type { Verdict } from '../render/verdicts.ts'
import type { Comparison, Report } from './schema.ts'
import { verdictsOf, type Change, type Compared, type Side } from './verdicts.ts'

type Revision = Report['constraint_effectiveness']['revisions'][number]
type Audited = Pick<Report, 'totals' | 'token_efficiency' | 'constraint_effectiveness' | 'prompt_refinement'>

/** The verdicts from the audits of a report. */
export const reportVerdicts = (report: Audited): Verdict[] =>
  verdictsOf({
    changes: changesOf(report),
    prompts: promptsOf(report),
    fixes: report.token_efficiency.fix_cost
      .map(({ error_type: errorType, tokens }) => ({ errorType, tokens }))
      .toSorted((a, b) => b.tokens - a.tokens),
    tokens: report.totals.tokens,
  })

function changesOf({ constraint_effectiveness: { revisions, changes } }: Audited): Change[] {
  const find = (version: string) => revisions.find((revision) => revision.version === version)
  return changes.flatMap(({ from, to, ...change }) => {
    const [before, after] = [find(from), find(to)]
    if (before === undefined || after === undefined) return []
    const sides = (of: (revision: Revision) => Side) => ({ before: of(before), after: of(after) })
    return [
      {
        isSideBySide: change.side_by_side,
        tokens: {
          ...sides(({ version, builds, tokens }) => sideOf(version, tokens, builds)),
          comparison: change.tokens_per_build,
        },
        firstPass: {
          ...sides(({ version, judged, first_pass: passed }) => sideOf(version, passed, judged)),
          comparison: change.first_pass_rate,
        },
      },
    ]
  })
}

function promptsOf({ prompt_refinement: { implement, comparisons } }: Audited): Compared | undefined {
  const compared = comparisons.find(
    ({ phase, measure }) => phase === 'implement' && measure === 'first_pass_rate',
  )
  if (compared !== undefined) {
    const { n, first, second } = compared.comparison
    return {
      before: { name: compared.second, n: n[1], value: second },
      after: { name: usedMost(compared.first), n: n[0], value: first },
      comparison: reversed(compared.comparison),
      isAssigned: compared.assigned_at_random,
    }
  }
  const [most, next] = implement.toSorted((a, b) => b.judged - a.judged)
  if (most === undefined || next === undefined) return undefined
  return {
    before: sideOf(next.instruction_version, next.first_pass, next.judged),
    after: sideOf(usedMost(most.instruction_version), most.first_pass, most.judged),
    comparison: null,
  }
}

/** The verdict is about the prompt that matters most. */
export const usedMost = (prompt: string): string => `${prompt} (used most)`

const reversed = ({ n, first, second, difference, ...comparison }: Comparison): Comparison => ({
  ...comparison,
  n: [n[1], n[0]],
  first: second,
  second: first,
  difference: { value: -difference.value, low: -difference.high, high: -difference.low },
})

export const sideOf = (name: string, sum: number, n: number): Side => ({
  name,
  n,
  value: n === 0 ? null : sum / n,
})
