import { withVersion } from '../../parts/promql.ts'

export const CONTEXT = 'context_hash=~"$context"'
export const BY = { by: ['context_hash'] } as const

/** Only the selected revisions, with their version. */
export const selected = (expression: string): string =>
  withVersion(`(${expression}) and on (context_hash) max by (context_hash) (audit_context_info{${CONTEXT}})`)
