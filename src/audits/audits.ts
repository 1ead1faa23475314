import type { Insight, Report } from './schema.ts'

/** The parts of a report from which the insights follow. */
export type Audits = Pick<
  Report,
  'totals' | 'token_efficiency' | 'constraint_effectiveness' | 'prompt_refinement'
>

/** A finding, and whether something is to be changed because of it now. */
export interface Found {
  readonly act: boolean
  readonly insight: Insight
}
