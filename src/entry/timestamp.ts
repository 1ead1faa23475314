const FOUR = '[0-9]{4}'
const LEAP_YEAR = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)'

/** Dates that exist, with the given separator. */
const dates = (separator: string): string => {
  const long = `(?:0[13578]|1[02])${separator}(?:0[1-9]|[12][0-9]|3[01])`
  const short = `(?:0[469]|11)${separator}(?:0[1-9]|[12][0-9]|30)`
  const february = `02${separator}(?:0[1-9]|1[0-9]|2[0-8])`
  return `(?:${FOUR}${separator}(?:${long}|${short}|${february})|${LEAP_YEAR}${separator}02${separator}29)`
}

const times = (separator: string): string =>
  `(?:[01][0-9]|2[0-3])${separator}[0-5][0-9](?:${separator}[0-5][0-9](?:[.,][0-9]+)?)?`

const LOCAL = `(?:${dates('-')}[Tt ]${times(':')}|${dates('')}[Tt]${times('')})`
const ZONE = ' ?(?:[Zz]|UTC|[+-](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?)'

/**
 * The timestamps that are read: ISO 8601, extended (`2026-11-20T10:00:00Z`) or basic (`20261120T100000Z`), with a zone.
 * Seconds and their fraction, behind a point or a comma, are optional; so are the minutes of the zone and its colon.
 * As in RFC 3339, `t` and `z` may be lower-case, and a space may stand for the `T`. So may one before the zone, and
 * `UTC` for the `Z`: `2026-11-20 10:00:00 +0000` and `2026-11-20 10:00:00 UTC`, as Ruby, git and databases print them.
 */
export const TIMESTAMP_PATTERN = `^${LOCAL}${ZONE}$`

const TIMESTAMP = new RegExp(TIMESTAMP_PATTERN)
const WITHOUT_ZONE = new RegExp(`^${LOCAL}$`)
const NUMBERS =
  /^(\d{4})-?(\d\d)-?(\d\d)[Tt ](\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)? ?(?:[Zz]|UTC|([+-])(\d\d)(?::?(\d\d))?)$/

const ZERO = 48
const CANONICAL = '0000-00-00T00:00:00.000Z'

/** Cache: neighbouring entries mostly have the same day. */
let lastDay = 'none yet'
let lastDayMs = 0

/**
 * Returns milliseconds since 1970, or `undefined` if the text is no ISO 8601 date and time with a zone. Digits beyond
 * the millisecond are dropped. The form that `Date.toISOString` writes is read digit by digit: three times as fast as
 * `Date.parse`.
 */
export function parseTimestamp(text: string): number | undefined {
  const sinceMidnight = canonicalTime(text)
  if (sinceMidnight === undefined) return anyTime(text)
  if (!text.startsWith(lastDay)) {
    if (!TIMESTAMP.test(text)) return undefined
    lastDay = text.slice(0, 10)
    lastDayMs = Date.parse(lastDay)
  }
  return lastDayMs + sinceMidnight
}

/** Says why a text is no timestamp, and what to write instead. */
export function timestampFault(text: string): string {
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
  if (WITHOUT_ZONE.test(text)) return `has no zone: ${shown}. Append Z for UTC, or an offset such as +02:00`
  return `not an ISO 8601 date and time with a zone: ${shown}. Write it like 2026-11-20T10:00:00Z`
}

function anyTime(text: string): number | undefined {
  const found = TIMESTAMP.test(text) ? NUMBERS.exec(text) : null
  if (found === null) return undefined
  const [, year, month, day, hour, minute, second = '00', fraction = '', sign, zoneHour, zoneMinute] = found
  const milliseconds = fraction.slice(0, 3).padEnd(3, '0')
  const local = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}Z`)
  const offsetMinutes = Number(zoneHour ?? 0) * 60 + Number(zoneMinute ?? 0)
  return local - (sign === '-' ? -offsetMinutes : offsetMinutes) * 60_000
}

/** Milliseconds since midnight of `YYYY-MM-DDTHH:MM:SS.mmmZ`; `undefined` for any other form. */
function canonicalTime(text: string): number | undefined {
  if (text.length !== 24) return undefined
  for (let i = 10; i < 24; i++) {
    const code = text.charCodeAt(i)
    const wanted = CANONICAL.charCodeAt(i)
    if (wanted === ZERO ? code < ZERO || code > ZERO + 9 : code !== wanted) return undefined
  }
  const hours = two(text, 11)
  const minutes = two(text, 14)
  const seconds = two(text, 17)
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined
  return ((hours * 60 + minutes) * 60 + seconds) * 1000 + two(text, 20) * 10 + text.charCodeAt(22) - ZERO
}

const two = (text: string, at: number): number =>
  (text.charCodeAt(at) - ZERO) * 10 + text.charCodeAt(at + 1) - ZERO
