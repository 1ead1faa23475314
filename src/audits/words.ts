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
