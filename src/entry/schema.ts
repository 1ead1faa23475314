import { z } from 'zod'
import { FIELD_NAMES, FIELDS, type FieldName, type KindOf, type KindValues } from './fields.ts'
import { VALIDATION_STATUSES } from './validation-status.ts'

/** Above this, counts could not be added up exactly. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER

/** The cause of a wrong type, as part of `field: cause`. */
const notA =
  (wanted: string) =>
  ({ input }: { readonly input?: unknown }): string => {
    if (input === undefined || input === null) return 'is missing'
    if (typeof input === 'number') return `is ${String(input)}, not ${wanted}`
    return `is ${Array.isArray(input) ? 'an array' : `of type ${typeof input}`}, not ${wanted}`
  }

const anyText = z.string({ error: notA('a string') })

/** The zod schema of each kind of field. All but `name` are optional, and `null` means absent. */
export const KINDS = {
  name: anyText.min(1, 'is empty'),
  text: anyText.nullish(),
  count: z
    .number({ error: notA('a finite number') })
    .nonnegative('is negative')
    .max(MAX_COUNT, `is greater than ${String(MAX_COUNT)}`)
    .nullish(),
  texts: z.array(anyText, { error: notA('an array') }).nullish(),
  status: z.enum(VALIDATION_STATUSES, { error: `is none of ${VALIDATION_STATUSES.join(', ')}` }).nullish(),
} satisfies { [Kind in keyof KindValues]: z.ZodType<KindValues[Kind] | null | undefined> }

type Shape = { [Name in FieldName]: (typeof KINDS)[KindOf<Name>] }

const shape = Object.fromEntries(FIELD_NAMES.map((name) => [name, KINDS[FIELDS[name].kind]])) as Shape

/** What one line may hold. `null` means absent, unknown keys are dropped, a wrong type rejects the line. */
export const entrySchema = z.object(shape, { error: 'not a JSON object' })

/** The value of a valid line: absent fields may be `null` or `undefined`. */
export type RawEntry = z.infer<typeof entrySchema>
