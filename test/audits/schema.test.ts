import { expect, test } from 'vitest'
import { z } from 'zod'
import { reportSchema } from '../../src/audits/schema.ts'

test('the published schema is that of the report', async () => {
  const schema = `${JSON.stringify(z.toJSONSchema(reportSchema), null, 2)}\n`
  await expect(schema).toMatchFileSnapshot('../../docs/report.schema.json')
})
