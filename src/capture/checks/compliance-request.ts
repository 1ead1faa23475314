import { z } from 'zod'
import type { CheckKind } from './classify-failure.ts'

export interface Check {
  /** Names the failure if its log is not recognised: `build` → `BUILD_FAILURE`. */
  readonly name: string
  readonly kind: CheckKind
  /** Program and arguments. They are not passed through a shell. */
  readonly command: readonly [string, ...string[]]
  /** Default 10 minutes. */
  readonly timeoutMs?: number
}

export interface ComplianceRequest {
  readonly workingDir: string
  readonly checks?: readonly Check[]
  /** Maximum length of the log excerpt for the fix prompt, in characters. Default 12,000. */
  readonly relevantLimitChars?: number
}

const positive = z.number({ error: 'must be a number' }).positive('must be greater than 0')
const text = z.string({ error: 'must be a string' }).min(1, 'must not be empty')

const check = z.object(
  {
    name: text,
    kind: z.enum(['install', 'build', 'lint', 'test', 'other'], {
      error: 'must be one of install, build, lint, test, other',
    }),
    command: z
      .array(text, {
        error: "must be an array of program and arguments, such as ['npm', 'test']: there is no shell",
      })
      .min(1, 'must name a program'),
    timeoutMs: positive.optional(),
  },
  { error: 'must be an object with name, kind and command' },
)

const request = z.object(
  {
    workingDir: text,
    checks: z.array(check, { error: 'must be an array of checks' }).optional(),
    relevantLimitChars: positive.optional(),
  },
  { error: "must be an object, such as { workingDir: '/builds/sum' }" },
)

/** Throws a `TypeError` that names what is wrong in a request, as a caller without types may send it. */
export function requireComplianceRequest(given: ComplianceRequest): void {
  const [issue] = request.safeParse(given).error?.issues ?? []
  if (issue === undefined) return
  const where = issue.path.reduce<string>(
    (path, key) => path + (typeof key === 'number' ? `[${key}]` : `.${String(key)}`),
    'request',
  )
  throw new TypeError(`runComplianceChecks: ${where} ${issue.message}`)
}
