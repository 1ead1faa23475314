import type { Audits } from './audits.ts'

/** Upper bounds of savings, in tokens. */

/** All tokens of fixes. */
export const reworkTokens = (audits: Audits): number =>
  audits.token_efficiency.fix_cost.reduce((sum, { tokens }) => sum + tokens, 0)

/** The fix tokens of an average build that needed rework: what such a build costs more than a first pass. */
export function reworkPerBuild(audits: Audits): number | null {
  const { after_rework: repaired, failed } = audits.totals.builds
  const reworked = repaired + failed
  return reworked > 0 ? reworkTokens(audits) / reworked : null
}

/** The fix tokens spent on one error type, for each build that failed with it. */
export function reworkPerFailure(audits: Audits, type: string): number | null {
  const row = audits.constraint_effectiveness.error_types.find(({ error_type }) => error_type === type)
  return row === undefined || row.builds === 0 ? null : row.rework_tokens / row.builds
}

/** The tokens of an average fix. */
export function tokensPerFix(audits: Audits): number | null {
  const fixes = audits.token_efficiency.fix_cost.reduce((sum, row) => sum + row.fixes, 0)
  return fixes > 0 ? reworkTokens(audits) / fixes : null
}

/** Limits a saving to what was spent. */
export const atMost = (tokens: number | null, spent: number): number | null =>
  tokens === null ? null : Math.min(tokens, spent)
