import path from 'node:path'
import type { OptimizationLogEntry } from '../../entry/entry.ts'
import { parseLine } from '../../entry/parse.ts'
import { entrySchema } from '../../entry/schema.ts'
import { appendLine, type WriteOnce } from './append-line.ts'
import type { CapturedEntry } from './entry.ts'
import { truncateText } from '../truncate-text.ts'

export const TRACE_FILE_NAME = 'audit_trace.jsonl'

/** Below the 16 MiB above which the reader skips a line. */
const MAX_LINE_BYTES = 15 * 1024 * 1024
const DEFAULT_ERROR_LIMIT_CHARS = 256 * 1024

export interface LogAuditOptions {
  /** A repeated call with the same key (a retried activity) does not write again. */
  readonly idempotencyKey?: string
  /** Maximum length of `error_full` in characters. The middle of a longer one is left out. Default 262,144. */
  readonly errorLimitChars?: number
  /** Default `audit_trace.jsonl`. */
  readonly fileName?: string
  /** Whether to wait until the line is on the disk, so that it survives a power cut. Default true. */
  readonly durable?: boolean
  readonly now?: () => Date
  readonly write?: WriteOnce
}

/** The fields that a caller knows. `null` means absent. */
export type GivenEntry = { readonly [Field in keyof CapturedEntry]?: CapturedEntry[Field] | null }

export interface LoggedEntry {
  /** The written entry, including derived fields. */
  readonly entry: CapturedEntry
  readonly file: string
  /** `false` if the idempotency key was in the file already, so nothing was written. */
  readonly written: boolean
}

/**
 * Appends one step of a build to `audit_trace.jsonl` in `workingDir`: exactly one line, complete or not at all for the
 * reader, safe with concurrent writers of the same file. `appendAuditEntry` does the same and returns the entry.
 * A `timestamp` that is given is kept, else it is set to now. Derives the total, the rework cost factor and the error
 * log's size. `null` means absent, as for the reader.
 * Throws a `TypeError` with field and cause if the reader would reject the entry (the reader's own parser checks it), and
 * if the idempotency key is empty, because all steps would share it. Throws with path and cause if the file cannot be
 * written.
 */
export async function logAuditEntry(
  workingDir: string,
  entry: GivenEntry,
  options: LogAuditOptions = {},
): Promise<void> {
  await appendAuditEntry(workingDir, entry, options)
}

/** `logAuditEntry` that returns the entry as it is in the file, with its derived fields, and whether it was written. */
export async function appendAuditEntry(
  workingDir: string,
  entry: GivenEntry,
  options: LogAuditOptions = {},
): Promise<LoggedEntry> {
  const file = path.join(workingDir, options.fileName ?? TRACE_FILE_NAME)
  const { entry: complete, line } = auditLine(file, entry, options)
  const written = await appendLine(file, line, {
    unlessPresent: complete.entry_id === undefined ? undefined : idEnding(complete.entry_id),
    durable: options.durable ?? true,
    ...(options.write === undefined ? {} : { write: options.write }),
  })
  return { entry: complete, file, written }
}

/**
 * The line of an entry in `file`, without its newline, and the entry with its derived fields.
 * Throws the `TypeError` of `logAuditEntry`.
 */
export function auditLine(
  file: string,
  entry: GivenEntry,
  options: LogAuditOptions,
): { readonly entry: CapturedEntry; readonly line: string } {
  const complete = completeEntry(withoutNulls(entry), options)
  if (complete.entry_id === '')
    throw refused(file, 'the idempotency key (entry_id)', 'is empty, and all steps would share it')
  return { entry: complete, line: readableLine(complete, file) }
}

/**
 * The end of a line with this id, which is its last key. JSON escapes quotes inside strings as `\"`, so no text of an
 * entry can look like it.
 */
const idEnding = (id: string): string => `,"entry_id":${JSON.stringify(id)}}`

function withoutNulls(given: GivenEntry): Partial<CapturedEntry> {
  const present = Object.entries(given).filter(([, value]) => value !== null && value !== undefined)
  return Object.fromEntries(present)
}

function completeEntry(given: Partial<CapturedEntry>, options: LogAuditOptions): CapturedEntry {
  const { entry_id: givenId, ...entry } = given
  const id = options.idempotencyKey ?? givenId
  const timestamp = entry.timestamp ?? (options.now ?? (() => new Date()))().toISOString()
  return {
    workflow_run_id: '',
    step_name: '',
    ...entry,
    timestamp,
    ...derivedCounts(entry),
    ...boundedError(entry, options.errorLimitChars ?? DEFAULT_ERROR_LIMIT_CHARS),
    ...(id === undefined ? {} : { entry_id: id }),
  }
}

type Given = Partial<OptimizationLogEntry>

function derivedCounts(entry: Given): Given {
  const { prompt_token_count: prompt, completion_token_count: completion } = entry
  const chars = entry.error_log_size_chars ?? entry.error_full?.length
  const derived: Given = {}
  if (prompt !== undefined && completion !== undefined) derived.total_token_cost = prompt + completion
  if (
    entry.rework_cost_factor === undefined &&
    completion !== undefined &&
    chars !== undefined &&
    chars > 0
  ) {
    derived.rework_cost_factor = completion / chars
  }
  return derived
}

function boundedError(entry: Given, limitChars: number): Given {
  const { error_full: text } = entry
  if (text === undefined) return {}
  return {
    error_full: truncateText(text, limitChars),
    error_log_size_chars: entry.error_log_size_chars ?? text.length,
  }
}

/** The entry as a line. The reader's own parser checks that the reader accepts it. */
function readableLine(entry: CapturedEntry, file: string): string {
  // Checked before JSON.stringify turns NaN into null, which means absent.
  const checked = entrySchema.safeParse(entry)
  const issue = checked.error?.issues[0]
  if (issue !== undefined) throw refused(file, issue.path.map(String).join('.'), issue.message)
  const line = JSON.stringify(entry)
  const bytes = Buffer.byteLength(line)
  if (bytes > MAX_LINE_BYTES) {
    const cause = `takes ${String(bytes)} bytes, more than ${String(MAX_LINE_BYTES)}`
    throw refused(file, '', `${cause}. Lower errorLimitChars or list fewer files.`)
  }
  const parsed = parseLine(line)
  if (!parsed.ok) throw refused(file, parsed.fault.field, parsed.fault.cause)
  return line
}

const refused = (file: string, field: string, cause: string): TypeError =>
  new TypeError(`cannot log to ${file}: ${field === '' ? 'the entry' : `${field}:`} ${cause}`)
