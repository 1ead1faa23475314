import { z } from 'zod'
import { FIELD_NAMES, FIELDS, type FieldName, type KindOf, type KindValues } from './fields.ts'
import { negativeCount, notACount, notAList, notAnObject, notAStatus, notAString } from './type-faults.ts'
import { STATUS_IN_ANY_CASE, statusOf, VALIDATION_STATUSES } from './validation-status.ts'

/** Above this, counts could not be added up exactly. */
const MAX_COUNT = Number.MAX_SAFE_INTEGER

const anyText = z.string({ error: notAString })

/** The zod schema of each kind of field. All but `name` are optional, and `null` means absent. */
export const KINDS = {
  name: anyText.min(1, 'is empty'),
  text: anyText.nullish(),
  count: z
    .number({ error: notACount })
    .nonnegative({ error: negativeCount })
    .max(MAX_COUNT, `is greater than ${String(MAX_COUNT)}`)
    .nullish(),
  texts: z.array(anyText, { error: notAList }).nullish(),
  status: z
    .union([z.enum(VALIDATION_STATUSES), z.string().regex(STATUS_IN_ANY_CASE).transform(statusOf)], {
      error: notAStatus,
    })
    .nullish(),
} satisfies { [Kind in keyof KindValues]: z.ZodType<KindValues[Kind] | null | undefined> }

type Shape = { [Name in FieldName]: (typeof KINDS)[KindOf<Name>] }

const shape = Object.fromEntries(FIELD_NAMES.map((name) => [name, KINDS[FIELDS[name].kind]])) as Shape

/** What one line may hold. `null` means absent, unknown keys are dropped, a wrong type rejects the line. */
export const entrySchema = z.object(shape, { error: notAnObject })

/** The value of a valid line: absent fields may be `null` or `undefined`. */
export type RawEntry = z.infer<typeof entrySchema>
