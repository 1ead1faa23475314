import fs from 'node:fs'
import { createHash } from 'node:crypto'

/** One time series of a day. */
interface SampledSeries {
  /** Name and labels, as written before each value. */
  readonly text: string
  /** One value for each tick of the day; NaN for no sample. */
  readonly values: Float64Array
}

export interface SampledFamily {
  /** Without the `_total` of a counter. */
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly series: readonly SampledSeries[]
}

export interface DayOfSamples {
  readonly firstTickMs: number
  readonly stepMs: number
  readonly families: readonly SampledFamily[]
}

const CHUNK_CHARS = 1 << 20

/**
 * Writes one day as OpenMetrics text: times in seconds, ascending within each series, `# EOF` at the end. The file
 * is created atomically. Returns its digest and the number of samples.
 */
export function writeOpenMetrics(path: string, day: DayOfSamples): { sha256: string; samples: number } {
  const temporary = `${path}.tmp`
  const handle = fs.openSync(temporary, 'w')
  const digest = createHash('sha256')
  let chunk = ''
  let samples = 0
  const flush = (): void => {
    digest.update(chunk)
    fs.writeSync(handle, chunk)
    chunk = ''
  }
  const times = new Map<number, string>()
  const timeOf = (tick: number): string => {
    const known = times.get(tick)
    if (known !== undefined) return known
    const made = ` ${(day.firstTickMs + tick * day.stepMs) / 1000}\n`
    times.set(tick, made)
    return made
  }
  try {
    for (const family of day.families) {
      if (family.series.length === 0) continue
      chunk += `# HELP ${family.name} ${escapeHelp(family.help)}\n# TYPE ${family.name} ${family.type}\n`
      for (const { text, values } of family.series) {
        for (let tick = 0; tick < values.length; tick++) {
          const value = values[tick] as number
          if (Number.isNaN(value)) continue
          chunk += text + String(value) + timeOf(tick)
          samples++
        }
        if (chunk.length > CHUNK_CHARS) flush()
      }
    }
    chunk += '# EOF\n'
    flush()
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
  fs.renameSync(temporary, path)
  return { sha256: digest.digest('hex'), samples }
}

/** Returns `name{a="b"} ` without empty labels, which Prometheus drops too. */
export function seriesText(name: string, labels: readonly (readonly [string, string])[]): string {
  const pairs = labels
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label}="${escapeValue(value)}"`)
  return `${name}{${pairs.join(',')}} `
}

const escapeValue = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const escapeHelp = escapeValue
