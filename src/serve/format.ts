const NO_DATA = 'no data yet'

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const fraction = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2, minimumFractionDigits: 2 })

/** 1,234,567 */
export const count = (value: number): string => whole.format(value)

/** A quotient in the given notation, or `no data yet` where there is nothing to divide by. */
export const quotient = (
  dividend: number,
  divisor: number,
  notation: 'percent' | 'whole' | 'fraction',
): string => {
  if (divisor === 0) return NO_DATA
  if (notation === 'percent') return percent(dividend, divisor)
  return (notation === 'whole' ? whole : fraction).format(dividend / divisor)
}

/** Never rounds up to 100 % what is less. */
const percent = (part: number, all: number): string => {
  const share = (part / all) * 100
  return `${(share < 100 ? Math.min(share, 99.9) : share).toFixed(1)} %`
}

/** 512 B, 4.2 KiB, 16.0 MiB */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log2(value) / 10), units.length - 1)
  return `${power === 0 ? value : (value / 1024 ** power).toFixed(1)} ${units[power] ?? ''}`
}

/** 42 s, 3 min, 5 h, 12 d */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`
  return `${count(Math.floor(seconds / 86_400))} d`
}

/** 2026-01-31 09:05:00 UTC */
export const utc = (ms: number): string =>
  Number.isFinite(ms) && Math.abs(ms) <= 8.64e15
    ? `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`
    : 'unknown'
