import { keptName, LIVED } from '../metrics/lives.ts'
import type { Day } from './days.ts'
import { seriesText } from './open-metrics.ts'

/** Records where one series of the import begins and ends, as prometheus/rules/lives.yml does for what is scraped. */
export interface Life {
  /** The series has this value at a tick. */
  value(day: Day, tickMs: number, value: number): void
  /** The tick of its last value was its last one, until there is another. */
  end(day: Day, tickMs: number): void
}

const HELP = 'Recorded where a series begins and ends.'

/** The life of a series; `undefined` for one whose life is not recorded. */
export function createLife(name: string, labels: Parameters<typeof seriesText>[1]): Life | undefined {
  if (!LIVED.has(name)) return undefined
  const family = { name: keptName(name), type: 'gauge', help: HELP } as const
  const text = seriesText(family.name, labels)
  let last: number | undefined
  let keptOn: Day | undefined
  return {
    value(day, tickMs, value) {
      // Once a day, so that a day has the same samples whether or not the import begins with it.
      if (day !== keptOn) day.put(family, text, tickMs, value)
      keptOn = day
      last = value
    },
    end(day, tickMs) {
      if (last !== undefined) day.put(family, text, tickMs, last)
      keptOn = undefined
      last = undefined
    },
  }
}
