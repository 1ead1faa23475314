export const VALIDATION_STATUSES = ['pass', 'fail', 'N/A'] as const

/** The outcome of the commands that a step ran; `N/A` if it ran none. */
export type ValidationStatus = (typeof VALIDATION_STATUSES)[number]

/** A status in any case: `PASS` is read as `pass`. Other words are not read. */
export const STATUS_IN_ANY_CASE = /^(?:[Pp][Aa][Ss][Ss]|[Ff][Aa][Ii][Ll]|[Nn]\/[Aa])$/

const BY_FIRST_LETTER: Record<string, ValidationStatus> = { p: 'pass', f: 'fail', n: 'N/A' }

/** The status that a text which matches `STATUS_IN_ANY_CASE` names. */
export const statusOf = (text: string): ValidationStatus =>
  BY_FIRST_LETTER[text.charAt(0).toLowerCase()] as ValidationStatus
