import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { reportSchema } from '../src/audits/schema.ts'
import { entryJsonSchema } from '../src/entry/json-schema.ts'

/** Writes the published JSON Schemas into docs/. */
const schemas = {
  'entry.schema.json': entryJsonSchema(),
  'report.schema.json': z.toJSONSchema(reportSchema),
}
for (const [name, schema] of Object.entries(schemas)) {
  const file = path.join(import.meta.dirname, name)
  writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  console.log(path.relative(process.cwd(), file))
}
