import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { reportSchema } from '../src/audits/schema.ts'
import { entryJsonSchema } from '../src/entry/json-schema.ts'
import { completeFormatPage } from './format-page.ts'

/** Writes the published JSON Schemas into docs/, and completes docs/format.md. */
const root = path.resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')
const asJson = (schema: object): string => `${JSON.stringify(schema, null, 2)}\n`

const files = {
  'docs/entry.schema.json': asJson(entryJsonSchema()),
  'docs/report.schema.json': asJson(z.toJSONSchema(reportSchema)),
  'docs/format.md': completeFormatPage(read('docs/format.md'), read),
}
for (const [file, text] of Object.entries(files)) {
  writeFileSync(path.join(root, file), text)
  console.log(file)
}
