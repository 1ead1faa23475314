import type { Insight, Report } from './schema.ts'
import type { MeanEstimate } from './statistics.ts'
import { ADOPTION_WINDOW } from './views.ts'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const fraction = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2, minimumFractionDigits: 2 })

/** 1,234,567 */
export const number = (value: number): string => whole.format(value)

/** 1.52 */
export const decimal = (value: number): string => fraction.format(value)

/** 41.3 % */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

/** +1,234 or -1,234 */
export const signed = (value: number): string => `${value < 0 ? '-' : '+'}${whole.format(Math.abs(value))}`

/** A difference of shares: +4.1 points */
export const points = (difference: number): string =>
  `${difference < 0 ? '-' : '+'}${(Math.abs(difference) * 100).toFixed(1)} points`

export const NONE = 'no data'

export const orNone = (value: number | null, form: (value: number) => string): string =>
  value === null ? NONE : form(value)

/** 12 (10 to 14) */
export function interval(estimate: MeanEstimate | null, form: (value: number) => string): string {
  if (estimate === null) return NONE
  const { value, low, high } = estimate
  if (low === null || high === null) return `${form(value)} (one value)`
  return `${form(value)} (${form(low)} to ${form(high)})`
}

export const typeName = (type: string): string => (type === '' ? '(none given)' : type)

export const day = (iso: string | null): string => iso?.slice(0, 10) ?? NONE

/** ` (12 of 30)` where not all are shown. */
export const shownOf = (all: number, most: number): string =>
  all > most ? ` (${number(most)} of ${number(all)})` : ''

/** What stands in or beside the files and was not read; empty where everything was. */
export function notRead({ input }: Pick<Report, 'input'>): string {
  const unfinished =
    `${number(input.unfinished_lines)} last lines without a newline ` +
    `(${number(input.unfinished_bytes)} bytes) are left out. `
  const rotated = `${number(input.rotated_files)} rotated files beside the traces were not read.`
  return `${input.unfinished_lines > 0 ? unfinished : ''}${input.rotated_files > 0 ? rotated : ''}`.trim()
}

/** What the two lists of insights are. */
export const LISTS = {
  finding: [
    'Tested differences',
    'They stand up to the statistics. Tokens are what the better side would have saved, at most.',
  ],
  cost: [
    'Where the tokens go',
    'Spending as measured, compared with nothing: no cure saves more than these upper bounds.',
  ],
} as const satisfies Record<Insight['kind'], readonly [title: string, what: string]>

type Change = Report['constraint_effectiveness']['changes'][number]

export const changeName = ({ from, to, side_by_side: sideBySide }: Change): string =>
  sideBySide ? `${from} and ${to} (side by side)` : `${from} to ${to}`

export const changesSentence = (audit: Report['context_volatility']): string =>
  `GEMINI.md changed ${number(audit.changes)} times: a build started under a revision that none of the ${ADOPTION_WINDOW} ` +
  `builds before it had used. It changed ${number(audit.changes_within_builds)} times within a build.`

/** The error types with which most builds under a revision failed at first. */
export const mostFrequent = (row: Report['constraint_effectiveness']['revisions'][number]): string =>
  row.first_failures
    .slice(0, 3)
    .map(({ error_type: type, rate }) => `${typeName(type)} ${orNone(rate?.value ?? null, percent)}`)
    .join(', ')
