import { FIELD_NAMES, FIELDS, type FieldKind } from './fields.ts'
import type { RawEntry } from './schema.ts'

type Check = (value: unknown) => boolean

const isAbsent: Check = (value) => value === undefined || value === null

/** The fast check of each kind. It must accept what the zod schema of the kind reads without changing it, and no more. */
const CHECKS: Record<FieldKind, Check> = {
  name: (value) => typeof value === 'string' && value !== '',
  text: (value) => typeof value === 'string' || isAbsent(value),
  count: (value) =>
    typeof value === 'number' ? value >= 0 && value <= Number.MAX_SAFE_INTEGER : isAbsent(value),
  texts: (value) =>
    Array.isArray(value) ? value.every((item) => typeof item === 'string') : isAbsent(value),
  status: (value) => value === 'pass' || value === 'fail' || value === 'N/A' || isAbsent(value),
}

const CHECK_OF: ReadonlyMap<string, Check> = new Map(
  FIELD_NAMES.map((name) => [name, CHECKS[FIELDS[name].kind]]),
)

const REQUIRED = FIELD_NAMES.filter((name) => FIELDS[name].kind === 'name')

/**
 * Whether a value of `JSON.parse` is an entry as it should be written: the schema's rules in a fraction of its time. If
 * the answer is `false`, the schema says what is wrong, or reads the value (a status in upper case).
 */
export function isPlainEntry(value: unknown): value is RawEntry {
  if (typeof value !== 'object' || value === null) return false
  const fields = value as Record<string, unknown>
  for (const name in fields) {
    const check = CHECK_OF.get(name)
    if (check !== undefined && !check(fields[name])) return false
  }
  // Those that are present have passed their check.
  for (const name of REQUIRED) if (fields[name] === undefined) return false
  return true
}
