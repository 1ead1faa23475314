import type { DayOfSamples, SampledFamily } from './open-metrics.ts'

export type FamilyHead = Omit<SampledFamily, 'series'>

/** The samples of one day (UTC) while it is being filled. */
export interface Day {
  /** Sets the value of one series at a tick of this day. `text` is its name and labels, see `seriesText`. */
  put(family: FamilyHead, text: string, tickMs: number, value: number): void
}

export interface Days {
  /** The day of a tick, which is not before that of earlier calls; starts a new day if necessary. */
  at(tickMs: number): Day
  /** The day of an earlier tick, or `undefined` if it has been passed on. */
  find(tickMs: number): Day | undefined
  /** Passes on the day before the current one, if there is one: it gets no more samples. */
  passOnPrevious(): void
  /** Passes on the current day. */
  passOnCurrent(): void
}

const DAY_MS = 86_400_000

interface FillingDay extends Day {
  contains(tickMs: number): boolean
  complete(): DayOfSamples
}

/** Holds the current and the previous day; passes each on to `onDay` once it is complete. */
export function createDays(stepMs: number, onDay: (day: DayOfSamples) => void): Days {
  let current: FillingDay | undefined
  let previous: FillingDay | undefined
  return {
    at(tickMs) {
      if (current?.contains(tickMs) === true) return current
      previous = current
      current = createDay(tickMs, stepMs)
      return current
    },
    find: (tickMs) => [current, previous].find((day) => day?.contains(tickMs)),
    passOnPrevious() {
      if (previous !== undefined) onDay(previous.complete())
      previous = undefined
    },
    passOnCurrent() {
      if (current !== undefined) onDay(current.complete())
      current = undefined
    },
  }
}

function createDay(tickMs: number, stepMs: number): FillingDay {
  const startMs = Math.floor(tickMs / DAY_MS) * DAY_MS
  const firstTickMs = Math.ceil(startMs / stepMs) * stepMs
  const ticks = Math.ceil((startMs + DAY_MS - firstTickMs) / stepMs)
  const families = new Map<string, { head: FamilyHead; rows: Map<string, Float64Array> }>()
  return {
    contains: (ms) => ms >= firstTickMs && ms < firstTickMs + ticks * stepMs,
    put(head, text, ms, value) {
      let family = families.get(head.name)
      if (family === undefined) {
        family = { head, rows: new Map() }
        families.set(head.name, family)
      }
      let row = family.rows.get(text)
      if (row === undefined) {
        row = new Float64Array(ticks).fill(Number.NaN)
        family.rows.set(text, row)
      }
      row[Math.round((ms - firstTickMs) / stepMs)] = value
    },
    complete: () => ({
      firstTickMs,
      stepMs,
      families: [...families.values()].map(({ head, rows }) => ({
        ...head,
        series: [...rows].map(([text, values]) => ({ text, values })),
      })),
    }),
  }
}
