export const VALIDATION_STATUSES = ['pass', 'fail', 'N/A'] as const

/** The outcome of the commands that a step ran; `N/A` if it ran none. */
export type ValidationStatus = (typeof VALIDATION_STATUSES)[number]
