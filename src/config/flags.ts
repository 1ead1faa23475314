import { Argument, Option } from 'commander'
import { z } from 'zod'
import { UsageError } from './usage-error.ts'

/** How a field of a command's schema is given on the command line. */
export interface FlagDetails {
  /** One or more sentences for `--help`; the default and the variable are appended. */
  readonly help: string
  /** What `--help` calls the value, such as `<duration>` or `<rule...>` for several. Absent for a switch. */
  readonly value?: string
  /** Environment variable that is read when the flag is not given. */
  readonly env?: string
  /** Separates several values within the variable. */
  readonly separator?: string
  /** Heading in `--help`. Default: Options. */
  readonly group?: string
  /** A positional argument instead of a flag. */
  readonly positional?: boolean
}

/** Fields of one command: the keys of its options, in the order of `--help`. */
export type FlagSchema = z.ZodObject

const registry = z.registry<FlagDetails>()

/** Declares a field: what it accepts, its default, and how it is given. */
export function flag<T extends z.ZodType>(details: FlagDetails, field: T): T {
  // Fields are shared, and each of their flags has its own details.
  const own = field.clone()
  registry.add(own, details)
  return own
}

/** One commander option for each flag of the schema, with help, default and variable. */
export const optionsOf = (schema: FlagSchema): Option[] =>
  declarations(schema)
    .filter(({ details }) => details.positional !== true)
    .map(({ key, field, details }) => createOption(key, field, details))

/** One commander argument for each positional field of the schema. */
export const argumentsOf = (schema: FlagSchema): Argument[] =>
  declarations(schema)
    .filter(({ details }) => details.positional === true)
    .map(({ details }) => new Argument(details.value ?? '<path>', details.help))

/** The keys of the positional fields, in order. */
export const positionalKeys = (schema: FlagSchema): string[] =>
  declarations(schema)
    .filter(({ details }) => details.positional === true)
    .map(({ key }) => key)

function createOption(key: string, field: z.core.$ZodType, details: FlagDetails): Option {
  const flags = details.value === undefined ? `--${kebab(key)}` : `--${kebab(key)} ${details.value}`
  const option = new Option(flags, `${details.help}${suffix(field, details)}`)
  if (details.group !== undefined) option.helpGroup(details.group)
  if (isRequired(field)) option.makeOptionMandatory()
  return option
}

function suffix(field: z.core.$ZodType, { value, env }: FlagDetails): string {
  const fallback = value === undefined ? undefined : defaultOf(field)
  const notes = [
    ...(fallback === undefined || fallback === '' ? [] : [`default: ${fallback}`]),
    ...(env === undefined ? [] : [`env: ${env}`]),
  ]
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`
}

/** The default of a field as it would be typed; `undefined` where there is none. */
function defaultOf(field: z.core.$ZodType): string | undefined {
  if (field instanceof z.ZodPrefault || field instanceof z.ZodDefault) return String(field.def.defaultValue)
  return undefined
}

const isRequired = (field: z.core.$ZodType): boolean => !z.safeParse(field, undefined).success

interface Declaration {
  readonly key: string
  readonly field: z.core.$ZodType
  readonly details: FlagDetails
}

/** The fields that can be given on the command line; others are for callers in code. */
function declarations(schema: FlagSchema): Declaration[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const details = registry.get(field as z.ZodType)
    return details === undefined ? [] : [{ key, field, details }]
  })
}

/**
 * Separates `--poll=false` and the like from the rest of a command line: commander knows switches without a value only.
 * Returns the other arguments, and the values by key.
 */
export function takeSwitchValues(
  schema: FlagSchema,
  argv: readonly string[],
): { readonly rest: string[]; readonly values: Record<string, string> } {
  const rest: string[] = []
  const values: Record<string, string> = {}
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  for (const [at, argument] of argv.entries()) {
    const [, name, text] = /^--([^=]+)=(.*)$/su.exec(argument) ?? []
    const found = declarations(schema).find(({ key, details }) => isSwitch(details) && kebab(key) === name)
    if (at >= end || found === undefined || text === undefined) rest.push(argument)
    else values[found.key] = text
  }
  return { rest, values }
}

const isSwitch = ({ value, positional }: FlagDetails): boolean => value === undefined && positional !== true

/** The variables that a command reads. */
export const variablesOf = (schema: FlagSchema): string[] =>
  declarations(schema).flatMap(({ details }) => details.env ?? [])

type Values = Readonly<Record<string, unknown>>
type Environment = Readonly<Record<string, string | undefined>>

/**
 * Validates what was given on the command line, and for the other flags what their variables hold.
 * Throws a `UsageError` that names the flag or variable, the value, and what is expected.
 */
export function parseFlags<S extends FlagSchema>(
  schema: S,
  given: Values,
  env: Environment = {},
): z.output<S> {
  const variables = valuesOfVariables(schema, env)
  const result = schema.safeParse({ ...variables, ...given })
  if (result.success) return result.data
  const [issue] = result.error.issues
  const key = issue?.path[0]
  const message = issue?.message ?? 'invalid'
  if (key === undefined) throw new UsageError(message)
  const declared = declarations(schema).find((each) => each.key === key)
  throw new UsageError(
    `${nameOf(String(key), declared?.details, !(key in given) && key in variables)}: ${message}`,
  )
}

function nameOf(key: string, details: FlagDetails | undefined, isVariable: boolean): string {
  if (details?.positional === true) return details.value ?? key
  return isVariable ? `${details?.env} (--${kebab(key)})` : `--${kebab(key)}`
}

function valuesOfVariables(schema: FlagSchema, env: Environment): Record<string, unknown> {
  return Object.fromEntries(
    declarations(schema).flatMap(({ key, details }) => {
      const text = details.env === undefined ? undefined : env[details.env]
      // Compose files and manifests pass an unset variable as an empty one.
      return text === undefined || text === '' ? [] : [[key, valueOf(text, details)]]
    }),
  )
}

function valueOf(text: string, { value, separator }: FlagDetails): unknown {
  if (value?.includes('...') !== true) return text
  return text.split(separator ?? '\n').filter((part) => part !== '')
}

const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
