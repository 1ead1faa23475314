import type { z } from 'zod'
import type { FlagSchema } from '../config/flags.ts'

/** Exit codes of every command. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const

/** What `--help` says about a command, and the flags that it takes. */
export interface Declaration<S extends FlagSchema = FlagSchema> {
  readonly name: string
  /** One line in the list of commands. */
  readonly summary: string
  readonly description: string
  readonly flags: S
  /** Printed after the flags: notes and examples. */
  readonly notes: string
}

/** The validated options of a command. */
export type OptionsOf<D extends Declaration> = z.output<D['flags']>
