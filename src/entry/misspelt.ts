import { isWithin } from '../edit-distance.ts'
import { FIELD_NAMES, type FieldName } from './fields.ts'

export interface MisspeltKey {
  readonly key: string
  readonly meant: FieldName
}

/**
 * The unknown keys of a line that look like a misspelt field: `promptTokenCount`, `prompt_tokens_count`, `Model`.
 * The reader ignores unknown keys, so the value of a misspelt one is lost without a trace.
 */
export function misspeltKeys(line: string): MisspeltKey[] {
  const value: unknown = JSON.parse(line)
  if (typeof value !== 'object' || value === null) return []
  return Object.keys(value).flatMap((key) => {
    const meant = isField(key) ? undefined : FIELD_NAMES.find((name) => looksLike(key, name))
    return meant === undefined ? [] : [{ key, meant }]
  })
}

const isField = (key: string): boolean => FIELD_NAMES.some((name) => name === key)

/** In a shorter name one letter makes another word: `mode` is not `model`. */
const SHORT_CHARS = 8

function looksLike(key: string, name: FieldName): boolean {
  const [written, wanted] = [lettersOf(key), lettersOf(name)]
  if (written === wanted) return true
  if (wanted.length < SHORT_CHARS && written.length !== wanted.length) return false
  return isWithin(wanted.length < SHORT_CHARS ? 1 : 2, written, wanted)
}

/** `promptTokenCount`, `prompt-token-count` and `PROMPT_TOKEN_COUNT` have the same letters. */
const lettersOf = (key: string): string => key.replaceAll(/[^A-Za-z0-9]/g, '').toLowerCase()
