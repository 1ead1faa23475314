import { matchers } from '../../prometheus/increase.ts'

/**
 * Leaves out what the exporter counted beyond the maximum number of values: `_other` is no value, so it is never ranked
 * as if it were one.
 */
export const named = (label: string, where?: string): string => matchers(where, `${label}!="_other"`)
