import fs from 'node:fs'
import { createHash } from 'node:crypto'

/** One time series as a file of samples has it. */
interface SampledSeries {
  /** Name and labels as written before each value. */
  readonly text: string
  /** One value for each tick of the day; NaN where the series has none. */
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
 * Writes one day as OpenMetrics text: seconds, ascending times for each series, `# EOF` at the end. The file
 * appears whole or not at all. Returns its digest.
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

/** `name{a="b"} ` with empty labels left out, as Prometheus does. */
export function seriesText(name: string, labels: readonly (readonly [string, string])[]): string {
  const pairs = labels
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label}="${escapeValue(value)}"`)
  return `${name}{${pairs.join(',')}} `
}

const escapeValue = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const escapeHelp = escapeValue
