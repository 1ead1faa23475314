import { VALIDATION_STATUSES } from './validation-status.ts'

/** A value of the wrong type in a line, and the keys that lead to it. */
export interface WrongValue {
  readonly input?: unknown
  readonly path?: readonly PropertyKey[] | undefined
}

const UNKNOWN_COUNT = 'Write null, or leave the field out, if it is unknown'

/*
 * Each function returns the cause of a fault, as part of `field: cause`, and what to write instead where that can be
 * told from the value.
 */

export function notAString({ input, path }: WrongValue): string {
  const cause = wrongType(input, 'a string')
  if (typeof input !== 'number') return cause
  if (path?.[0] === 'timestamp') return `${cause}. Write it like 2026-11-20T10:00:00Z`
  // JSON.parse has rounded a greater number, so its digits must not be shown as those of the line.
  return `${cause}. Put it in quotes${Number.isSafeInteger(input) ? `: "${String(input)}"` : ''}`
}

export function notACount({ input }: WrongValue): string {
  if (typeof input !== 'string') return wrongType(input, 'a finite number')
  return /^\d{1,15}(?:\.\d{1,6})?$/.test(input)
    ? `is "${input}", not a finite number. Write it without quotes: ${input}`
    : `${wrongType(input, 'a finite number')}. ${UNKNOWN_COUNT}`
}

export const negativeCount = (): string => `is negative. ${UNKNOWN_COUNT}`

export function notAList({ input }: WrongValue): string {
  const cause = wrongType(input, 'an array')
  return typeof input === 'string' ? `${cause}. Write it in brackets, even if it is a single one` : cause
}

/** Words for an outcome that writers use. They are not read, because there is no end to them. */
const OUTCOMES = new Map([
  ...['passed', 'success', 'succeeded', 'successful', 'ok', 'true'].map((word) => [word, 'pass'] as const),
  ...['failed', 'failure', 'error', 'false'].map((word) => [word, 'fail'] as const),
])

export function notAStatus({ input }: WrongValue): string {
  const shown = shownWord(input)
  const meant = OUTCOMES.get((shown ?? '').replaceAll('"', '').toLowerCase())
  const hint = meant === undefined ? 'Leave the field out if the step ran no commands' : `Write "${meant}"`
  return `is ${shown === undefined ? '' : `${shown}, `}none of ${VALIDATION_STATUSES.join(', ')}. ${hint}`
}

export function notAnObject({ input }: WrongValue): string {
  const cause = 'not a JSON object'
  if (Array.isArray(input)) return `${cause}, but an array. Write each entry on a line of its own`
  return typeof input === 'string' ? `${cause}, but a string. It may have been encoded as JSON twice` : cause
}

function wrongType(input: unknown, wanted: string): string {
  if (input === undefined || input === null) return 'is missing'
  if (typeof input === 'number') return `is ${String(input)}, not ${wanted}`
  return `is ${Array.isArray(input) ? 'an array' : `of type ${typeof input}`}, not ${wanted}`
}

function shownWord(input: unknown): string | undefined {
  if (typeof input === 'boolean' || typeof input === 'number') return String(input)
  if (typeof input !== 'string') return undefined
  return JSON.stringify(input.length > 30 ? `${input.slice(0, 30)}…` : input)
}
