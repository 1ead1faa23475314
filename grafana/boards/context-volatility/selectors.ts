import { withRevision } from '../../parts/promql.ts'
import { EACH_CONTEXT } from '../../parts/selectors.ts'

export const BY = { by: ['context_hash'] } as const

/** Only the selected revisions, with their names. */
export const selected = (expression: string): string => withRevision(expression, EACH_CONTEXT)
