const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[-+0-9.eE]+)(?: -?\d+)?$/su
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/uy
const ESCAPES: Readonly<Record<string, string>> = { '\\\\': '\\', '\\"': '"', '\\n': '\n' }

/**
 * Parses a text exposition into samples by `name{label="value",…}`, labels sorted; without labels by name alone.
 * Strict: throws on a line that is neither a sample nor a comment, and on a duplicate series.
 */
export function parseExposition(text: string): Map<string, number> {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the exposition does not end with a newline')
  const samples = new Map<string, number>()
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    const [, name = '', labels, value = ''] = SAMPLE.exec(line) ?? []
    if (name === '') throw new Error(`line ${i + 1} is not a sample: ${line}`)
    const key = seriesKey(name, parseLabels(labels ?? '', i + 1))
    if (samples.has(key)) throw new Error(`line ${i + 1}: duplicate series ${key}`)
    const number = Number(value.replace('Inf', 'Infinity'))
    if (Number.isNaN(number) && value !== 'NaN') throw new Error(`line ${i + 1} has no number: ${line}`)
    samples.set(key, number)
  }
  return samples
}

/** The key of a series in what `parseExposition` returns. */
export function seriesKey(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const sorted = Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (sorted.length === 0) return name
  return `${name}{${sorted.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(',')}}`
}

function parseLabels(text: string, line: number): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  for (let at = 0; at < text.length; at = LABEL.lastIndex) {
    const [, name = '', value = ''] = LABEL.exec(text) ?? []
    if (name === '') throw new Error(`line ${line}: cannot read the labels {${text}} from ${at} on`)
    if (Object.hasOwn(labels, name)) throw new Error(`line ${line}: duplicate label ${name}`)
    labels[name] = value.replaceAll(/\\[\\"n]/gu, (escape) => ESCAPES[escape] ?? '')
  }
  return labels
}
