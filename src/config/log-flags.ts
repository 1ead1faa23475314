import { z } from 'zod'
import { oneOf } from './fields.ts'
import { flag } from './flags.ts'

const LOGGING = 'Logging:'

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
const LOG_FORMATS = ['auto', 'text', 'json'] as const

/** What every command logs on standard error. Results go to standard output, whatever is set here. */
export const logFlags = z.strictObject({
  logLevel: flag(
    {
      value: '<level>',
      env: 'AUDIT_LOG_LEVEL',
      group: LOGGING,
      help: `The least severe messages to log: ${LOG_LEVELS.join(', ')}.`,
    },
    oneOf(LOG_LEVELS).prefault('info'),
  ),
  logFormat: flag(
    {
      value: '<format>',
      env: 'AUDIT_LOG_FORMAT',
      group: LOGGING,
      help: 'text: lines to read. json: one object per line. auto: text on a terminal, else json.',
    },
    oneOf(LOG_FORMATS).prefault('auto'),
  ),
})

export type LogOptions = z.output<typeof logFlags>
