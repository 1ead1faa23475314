/** A reproducible random number generator: the same seed gives the same sequence on every machine. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** An integer from `min` to `max`, inclusive. */
  integer(min: number, max: number): number
  /** True with the given probability (0 to 1). */
  chance(probability: number): boolean
  /** One of the values, all equally likely; throws on an empty list. */
  pick<T>(values: readonly T[]): T
  /** One of the values, with probability proportional to its weight; throws if no weight is above 0. */
  weighted<T>(values: readonly T[], weightOf: (value: T) => number): T
  /** Log-normal with the given median; `sigma` is the standard deviation of the logarithm (0: always the median). */
  logNormal(median: number, sigma: number): number
  /** `digits` lower-case hex digits. */
  hex(digits: number): string
}

/**
 * Starts a sequence from a seed. Derive one seed per item (`${seed}/${n}`) if items must not depend on the
 * order in which they are created.
 */
export function createRandom(seed: string | number): Random {
  const next = sfc32(hash128(String(seed)))
  const integer = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))

  const pick = <T>(values: readonly T[]): T => {
    if (values.length === 0) throw new RangeError('cannot pick from an empty list')
    return values[Math.floor(next() * values.length)] as T
  }

  const weighted = <T>(values: readonly T[], weightOf: (value: T) => number): T => {
    let sum = 0
    for (const value of values) sum += weightOf(value)
    if (!(sum > 0)) throw new RangeError('cannot pick: no weight is above 0')
    let left = next() * sum
    let last: T | undefined
    for (const value of values) {
      const weight = weightOf(value)
      if (weight <= 0) continue
      if (left < weight) return value
      left -= weight
      last = value
    }
    return last as T // rounding may leave a remainder after the last weight
  }

  const logNormal = (median: number, sigma: number): number => {
    // Box-Muller; 1 - next() keeps the logarithm away from 0.
    const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
    return median * Math.exp(sigma * normal)
  }

  const hex = (digits: number): string => {
    let text = ''
    while (text.length < digits) text += integer(0, 0xffff_ffff).toString(16).padStart(8, '0')
    return text.slice(0, digits)
  }

  return { next, integer, chance: (probability) => next() < probability, pick, weighted, logNormal, hex }
}

type State128 = readonly [number, number, number, number]

/** sfc32 by Chris Doty-Humphrey (PractRand): small, fast, passes the usual statistical tests. */
function sfc32([a0, b0, c0, counter0]: State128): () => number {
  let [a, b, c, counter] = [a0, b0, c0, counter0]
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + sum) | 0
    return (sum >>> 0) / 0x1_0000_0000
  }
  for (let warmUp = 0; warmUp < 12; warmUp += 1) next()
  return next
}

/** Hashes a text to 128 bits, so that seeds that differ in one digit give unrelated sequences. */
function hash128(text: string): State128 {
  let [a, b, c, d] = [0x9e37_79b9, 0x243f_6a88, 0xb7e1_5162, 0xdead_beef ^ text.length]
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    a = Math.imul(a ^ code, 0x85eb_ca6b)
    b = Math.imul(b ^ code ^ (a >>> 13), 0xc2b2_ae35)
    c = Math.imul(c ^ code ^ (b >>> 16), 0x27d4_eb2f)
    d = Math.imul(d ^ code ^ (c >>> 15), 0x1656_67b1)
  }
  return [a ^ (d >>> 16), b, c, d]
}
