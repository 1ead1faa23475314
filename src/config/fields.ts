import path from 'node:path'
import { z } from 'zod'
import { PHASES, type PhaseRule } from '../attribute/phase.ts'
import { parseDuration, parseListen, parseSize } from './units.ts'

/** A text that is parsed; `expected` completes the sentence `"soon" is not …`. */
export const parsed = <T>(parse: (text: string) => T | undefined, expected: string) =>
  z.string().transform((text, context) => {
    const value = parse(text)
    if (value !== undefined) return value
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} is not ${expected}` })
    return z.NEVER
  })

/** Milliseconds. */
export const duration = parsed(parseDuration, 'a duration such as 30s, 5m, 1h30m')

/** Bytes. */
export const size = parsed((text) => parseSize(text) || undefined, 'a size such as 64KiB, 16MiB')

export const listenAddress = parsed(parseListen, 'an address such as 127.0.0.1:9464, [::1]:9464, :9464')

export const nonEmpty = z.string().min(1, 'must not be empty')

/** The absolute path of a file or directory. */
export const absolutePath = nonEmpty.transform((name) => path.resolve(name))

/** One of a few words. */
export const oneOf = <const T extends string>(words: readonly T[]) =>
  parsed((text) => words.find((word) => word === text), `one of ${words.join(', ')}`)

export interface Range {
  readonly min: number
  readonly max?: number
}

/** A number of the range, as a number or as text. */
export const numberFrom = (range: Range) => numeric(range, () => true, 'a number')

/** A whole number of the range, as a number or as text. */
export const wholeNumber = (range: Range) => numeric(range, Number.isSafeInteger, 'a whole number')

function numeric({ min, max }: Range, accepts: (value: number) => boolean, noun: string) {
  const bounds = max === undefined ? `of at least ${min}` : `from ${min} to ${max}`
  return z.union([z.string(), z.number()]).transform((given, context) => {
    const value = given === '' ? Number.NaN : Number(given)
    if (Number.isFinite(value) && accepts(value) && value >= min && value <= (max ?? value)) return value
    context.addIssue({ code: 'custom', message: `${JSON.stringify(given)} is not ${noun} ${bounds}` })
    return z.NEVER
  })
}

export const phaseRule = parsed(parsePhaseRule, `a rule PHASE=REGEX with a phase of ${PHASES.join(', ')}`)

function parsePhaseRule(text: string): PhaseRule | undefined {
  const at = text.indexOf('=')
  const phase = PHASES.find((name) => name === text.slice(0, at))
  if (phase === undefined) return undefined
  try {
    return { phase, pattern: new RegExp(text.slice(at + 1), 'iu') }
  } catch {
    return undefined
  }
}
