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

const SWITCH_WORDS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
])

/** A switch, off by default: on when its flag is given without a value, else what the value says. */
export const onOff = () =>
  z
    .union([z.boolean(), z.string()])
    .transform((given, context) => {
      const value = typeof given === 'boolean' ? given : SWITCH_WORDS.get(given.toLowerCase())
      if (value !== undefined) return value
      const words = [...SWITCH_WORDS.keys()].join(', ')
      context.addIssue({ code: 'custom', message: `${JSON.stringify(given)} is not one of ${words}` })
      return z.NEVER
    })
    .prefault(false)

/** Milliseconds, up to 100 years. */
export const duration = parsed(parseDuration, 'a duration such as 30s, 5m, 1h30m, up to 36500d')

/** With its newline, a line of this many bytes still fits into one string of the JavaScript engine (512 MiB - 24). */
const MAX_LINE_BYTES = 511 * 2 ** 20

/** Bytes of one line. */
export const lineSize = parsed((text) => {
  const bytes = parseSize(text)
  return bytes !== undefined && bytes >= 1 && bytes <= MAX_LINE_BYTES ? bytes : undefined
}, 'a size such as 64KiB, 16MiB, up to 511MiB')

const MIN_MEMORY = 128 * 2 ** 20

/** Bytes of memory for a command. */
export const memorySize = parsed((text) => {
  const bytes = parseSize(text)
  return bytes !== undefined && bytes >= MIN_MEMORY ? bytes : undefined
}, 'a size such as 512MiB, 4GiB, at least 128MiB')

/** A name without its directory. */
export const fileName = parsed(
  (text) => (isFileName(text) ? text : undefined),
  'a file name: it must have no directory and none of the characters * ? [ ] { }, as patterns are not supported',
)

/** File systems limit names to 255 bytes. */
const isFileName = (text: string): boolean =>
  text !== '' &&
  text !== '.' &&
  text !== '..' &&
  !/[/\0*?[\]{}]/u.test(text) &&
  Buffer.byteLength(text) <= 255

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

/** `PHASE=REGEX`. */
export const phaseRule = z.string().transform((text, context): PhaseRule => {
  const fail = (cause: string): never => {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${cause}` })
    return z.NEVER
  }
  const at = text.indexOf('=')
  const phase = PHASES.find((name) => name === text.slice(0, at))
  if (phase === undefined) return fail(`is not a rule PHASE=REGEX with a phase of ${PHASES.join(', ')}`)
  try {
    return { phase, pattern: new RegExp(text.slice(at + 1), 'iu') }
  } catch (error) {
    return fail(`has a bad pattern: ${(error as Error).message}`)
  }
})

/** A pattern whose group `project` names the project of a path. */
export const projectPattern = z.string().transform((text, context) => {
  const fail = (cause: string): never => {
    context.addIssue({ code: 'custom', message: `${JSON.stringify(text)} ${cause}` })
    return z.NEVER
  }
  try {
    const pattern = new RegExp(text, 'u')
    // With an empty alternative every pattern matches, and a match lists all groups.
    const groups = new RegExp(`${text}|`, 'u').exec('')?.groups ?? {}
    if ('project' in groups) return pattern
  } catch (error) {
    return fail(`is not a regular expression: ${(error as Error).message}`)
  }
  return fail(String.raw`has no group named project. Write one, such as ^/builds/(?<project>[^/]+)/`)
})
