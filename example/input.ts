import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { AuditedBuildInput } from '../src/exports/temporal.ts'

const fromHere = (name: string): string => path.join(import.meta.dirname, name)

/** Each build is assigned one of these fix prompts at random. The report says which one repairs more, and for how many tokens. */
const FIX_PROMPTS = [
  {
    version: 'fix-1',
    template:
      '`{{command}}` fails with {{error_type}}. Mend the package in the current directory so that it passes; ' +
      'do not weaken the checks and do not delete tests.\n\n{{error_log}}',
  },
  {
    version: 'fix-2',
    template:
      '`{{command}}` fails with {{error_type}}. Return ONLY the fixed code actions. Do not explain.\n\n{{error_log}}',
  },
]

/** The build of the example: the package `sum`, from `specification.md` under the rules of `GEMINI.md`. */
export const exampleInput = (
  own: Pick<AuditedBuildInput, 'workspaceRoot' | 'agent' | 'model'>,
): AuditedBuildInput => ({
  packageName: 'sum',
  templateDir: fromHere('template'),
  specification: readFileSync(fromHere('specification.md'), 'utf8'),
  context: readFileSync(fromHere('GEMINI.md'), 'utf8'),
  instructions: { fix: FIX_PROMPTS },
  ...own,
})

/** How to get what the example needs, for the message of a connection that failed. */
export const unreachable = (address: string, error: unknown): string =>
  `Cannot reach a Temporal server at ${address}: ${(error as Error).message}\n` +
  'Start one in another terminal: temporal server start-dev\n' +
  '(The program is Temporal’s CLI: brew install temporal, or go install github.com/temporalio/cli/cmd/temporal@v1.5.1)\n' +
  'If yours listens elsewhere, set TEMPORAL_ADDRESS to its host:port.'
