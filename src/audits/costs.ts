import { counted, number, percent } from '../render/format.ts'
import type { Audits } from './audits.ts'
import { ruleFor } from './rules.ts'
import { reworkTokens } from './savings.ts'
import type { Insight } from './schema.ts'
import { named } from './words.ts'

/** A cost is listed from this share of all tokens on. */
const MIN_SHARE = 0.01
const MAX_COSTS = 5
const MIN_FIXES = 20
/** How much of GEMINI.md a shorter one is assumed to cut. */
const CUT = 0.1

/** Where the tokens go, without a comparison. The tokens are upper bounds of what can be saved. */
export const costs = (audits: Audits): Insight[] => [...fixCosts(audits), ...contextCost(audits)]

function fixCosts(audits: Audits): Insight[] {
  const rework = reworkTokens(audits)
  const least = MIN_SHARE * audits.totals.tokens
  return audits.token_efficiency.fix_cost
    .filter(({ fixes, tokens }) => fixes >= MIN_FIXES && tokens > 0 && tokens >= least)
    .slice(0, MAX_COSTS)
    .map((row) => ({
      id: `cost/fixes/${row.error_type}`,
      kind: 'cost',
      title: `Repairing ${named(row.error_type)} took ${number(row.tokens)} tokens, ${percent(row.tokens / rework)} of all rework`,
      evidence:
        `${counted(row.fixes, 'fix', 'fixes')}${perFix(row)}. Measured, not compared: this is the most that can be ` +
        'saved if the error no longer occurs.',
      tokens: row.tokens,
      part_of: null,
      change: ruleFor(row.error_type),
      verify: `Watch how often ${named(row.error_type)} fails the first verification under the next revision, in the table of revisions.`,
    }))
}

function perFix({ mean_tokens: mean }: Audits['token_efficiency']['fix_cost'][number]): string {
  if (mean === null) return ''
  const { value, low, high } = mean
  const interval = low === null || high === null ? '' : ` (95 % interval ${number(low)} to ${number(high)})`
  return `, ${number(value)} tokens each${interval}`
}

function contextCost(audits: Audits): Insight[] {
  const rows = audits.token_efficiency.prompt_share
  const context = rows.reduce((sum, row) => sum + row.context_tokens, 0)
  const rest = rows.reduce((sum, row) => sum + row.instruction_tokens + row.other_tokens, 0)
  const prompt = context + rest
  if (context === 0 || context * CUT < MIN_SHARE * audits.totals.tokens) return []
  return [
    {
      id: 'cost/context',
      kind: 'cost',
      title: `GEMINI.md is ${percent(context / prompt)} of the prompts: a tenth of it costs ${number(context * CUT)} tokens`,
      evidence: `${number(context)} of ${number(prompt)} prompt tokens, over the entries that record the whole prompt and its parts. Measured, not compared.`,
      tokens: context * CUT,
      part_of: null,
      change:
        'Shorten GEMINI.md. Begin with rules whose error types no longer occur, and with long examples.',
      verify:
        'Compare the first-pass rate of the shorter revision with that of this one in the table of revisions.',
    },
  ]
}
