import { z } from 'zod'
import { FIELD_NAMES, FIELDS } from './fields.ts'
import { KINDS } from './schema.ts'

/**
 * The JSON Schema (2020-12) of one line of a trace, for writers in any language: docs/entry.schema.json. It accepts
 * the lines that the reader accepts.
 */
export function entryJsonSchema(): object {
  const described = z.object(Object.fromEntries(FIELD_NAMES.map((name) => [name, describedField(name)])))
  const { $schema, ...schema } = z.toJSONSchema(described, { target: 'draft-2020-12', io: 'input' })
  return {
    $schema,
    title: 'OptimizationLogEntry',
    description:
      'One step of one audited build: one line of audit_trace.jsonl. null means absent. Unknown keys are ignored.',
    ...schema,
  }
}

function describedField(name: (typeof FIELD_NAMES)[number]): z.ZodType {
  const { kind, about, examples, ...rest } = FIELDS[name]
  const deprecated = 'deprecated' in rest ? { deprecated: true } : {}
  const pattern = 'pattern' in rest ? { pattern: rest.pattern } : {}
  return KINDS[kind].meta({ description: about, examples: [...examples], ...pattern, ...deprecated })
}
