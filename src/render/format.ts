/** Numbers, times and names as the page and the report show them. */

/** Shown in place of a figure that cannot be calculated. */
export const NONE = 'no data'
/** The same on the page, where data may still come. */
export const NONE_YET = 'no data yet'

type Form = (value: number) => string

/** Made when first used: it takes longer than any other step of the start, and a scrape needs none. */
function formatter(options: Intl.NumberFormatOptions): Form {
  let made: Intl.NumberFormat | undefined
  return (value) => (made ??= new Intl.NumberFormat('en-US', options)).format(value)
}

/** 1,234,567 */
export const number = formatter({ maximumFractionDigits: 0 })

/** 1.52 */
export const decimal = formatter({ maximumFractionDigits: 2, minimumFractionDigits: 2 })

/** 0.413 as `41.3 %`. A share below 1 is never rounded up to 100 %. */
export const percent: Form = (share) =>
  `${(share < 1 ? Math.min(share * 100, 99.9) : share * 100).toFixed(1)} %`

/** +1,234 or -1,234 */
export const signed: Form = (value) => withSign(value, number(Math.abs(value)))

/** A difference of shares, 0.041 as `+4.1 points`. */
export const points: Form = (difference) =>
  `${withSign(difference, (Math.abs(difference) * 100).toFixed(1))} points`

/** What is rounded to zero has no sign. */
const withSign = (value: number, rounded: string): string =>
  Number(rounded.replaceAll(',', '')) === 0 ? rounded : `${value < 0 ? '-' : '+'}${rounded}`

/** A p-value: `= 0.012` or `< 0.0001`. */
export const probability: Form = (p) => (p < 0.0001 ? '< 0.0001' : `= ${p.toPrecision(2)}`)

/** 1.2M, 40k, 7: short enough for the scale of a chart. */
export function compact(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (value >= 1e3) return `${Number((value / 1e3).toPrecision(3))}k`
  return String(value)
}

/** 512 B, 4.2 KiB, 16.0 MiB */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1)
  return `${power === 0 ? value : (value / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`
}

/** Milliseconds as 42 s, 3 min, 5 h, 12 d. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${number(Math.floor(seconds / 86_400))} d`
}

/** Milliseconds since the epoch as `2026-01-31 09:05:00 UTC`. */
export const utc = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : 'unknown'

/** The day of an ISO 8601 timestamp. */
export const day = (iso: string | null): string => iso?.slice(0, 10) ?? NONE

export const orNone = (value: number | null, form: Form): string => (value === null ? NONE : form(value))

/** A quotient of running totals, or `no data yet` where the divisor is still 0. */
export const quotient = (dividend: number, divisor: number, form: Form): string =>
  divisor === 0 ? NONE_YET : form(dividend / divisor)

interface Interval {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** `12 (10 to 14)`; one value alone has no interval. */
export function interval(estimate: Interval | null, form: Form): string {
  if (estimate === null) return NONE
  const { value, low, high } = estimate
  if (low === null || high === null) return `${form(value)} (one value)`
  return `${form(value)} (${form(low)} to ${form(high)})`
}

/** `1 file`, `2 files`: the noun with its number. */
export const counted = (n: number, noun: string, plural = `${noun}s`): string =>
  `${number(n)} ${n === 1 ? noun : plural}`

/** An error type, which may be empty. */
export const typeName = (type: string): string => (type === '' ? '(none given)' : type)

/** At most so many characters. A longer text loses its middle: names that begin alike differ at their ends. */
export function cutInside(text: string, most: number): string {
  if (text.length <= most) return text
  const tail = Math.floor((most - 1) / 2)
  return `${text.slice(0, most - 1 - tail)}…${text.slice(text.length - tail)}`
}

/** ` (12 of 30)` where not all rows are shown, else nothing. */
export const shownOf = (all: number, most: number): string =>
  all > most ? ` (${number(most)} of ${number(all)})` : ''
