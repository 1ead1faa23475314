import { z } from 'zod'
import { onOff } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { pathsField, readingFlags } from '../config/shared-flags.ts'

export const checkDeclaration = {
  name: 'check',
  summary: 'validate trace files: print one line for each fault',
  description:
    'Validates every trace below the paths with the rules of `watch`. Prints `file:line: field: cause` for each fault.',
  flags: z.strictObject({
    paths: pathsField('Directories or files to validate.'),
    strict: flag(
      { help: 'Also report unknown keys that look like a misspelt field, such as promptTokenCount.' },
      onOff(),
    ),
    ...readingFlags,
  }),
  notes: `
Exit codes: 0 no fault, 1 at least one fault or no trace file, 2 wrong usage.

Examples:
  audit-trace-exporter check /builds
  audit-trace-exporter check --strict /builds
  audit-trace-exporter check build-7/audit_trace.jsonl`,
}
