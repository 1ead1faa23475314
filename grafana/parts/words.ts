import { ENOUGH } from './promql.ts'

/** What the verdict of a table means: decisions/064. */
export const VERDICT_EXPLAINED =
  `Verdict: two-proportion z-test at 95 %, corrected for the number of comparisons in the table (Bonferroni), with at least ${ENOUGH} builds on both sides. ` +
  '“unclear” does not mean equal. A verdict does not say what caused the difference. The test takes builds as independent of each other; if yours come in batches, use the report.'
