import { z } from 'zod'
import { FIELD_NAMES, FIELDS, KINDS, type Shape } from './fields.ts'

const shape = Object.fromEntries(FIELD_NAMES.map((name) => [name, KINDS[FIELDS[name].kind]])) as Shape

/** What one line may hold. `null` means absent, unknown keys are dropped, a wrong type rejects the line. */
export const entrySchema = z.object(shape, { error: 'not a JSON object' })

/** The value of a valid line: absent fields may be `null` or `undefined`. */
export type RawEntry = z.infer<typeof entrySchema>
