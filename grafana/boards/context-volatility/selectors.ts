import { withRevision } from '../../parts/promql.ts'

export const CONTEXT = 'context_hash=~"$context"'
export const BY = { by: ['context_hash'] } as const

/** Only the selected revisions, with their names. */
export const selected = (expression: string): string => withRevision(expression, CONTEXT)
