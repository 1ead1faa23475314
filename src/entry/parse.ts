import { shortName } from '../short-name.ts'
import { jsonFault } from './json-fault.ts'
import type { Entry } from './parsed.ts'
import { plainEntry } from './plain.ts'
import { entrySchema, type RawEntry } from './schema.ts'
import { parseTimestamp, timestampFault } from './timestamp.ts'

/** Why a line is rejected. The label `reason` of `audit_exporter_rejected_lines_total`. */
export type RejectReason = 'invalid_json' | 'schema' | 'too_long' | 'invalid_utf8'

/** What is odd about an entry that is counted nevertheless. The label `reason` of `audit_exporter_entry_warnings_total`. */
export type EntryWarning =
  'total_mismatch' | 'cached_mismatch' | 'rework_cost_factor_mismatch' | 'timestamp_in_future' | 'welded'

export interface Fault {
  readonly reason: Exclude<RejectReason, 'too_long'>
  /** Dotted path of the faulty field; `''` for the line as a whole. */
  readonly field: string
  readonly cause: string
}

export const NOT_UTF8: Fault = {
  reason: 'invalid_utf8',
  field: '',
  cause: 'not valid UTF-8. Write the trace in UTF-8, without a conversion by the shell or editor',
}

export type ParseResult =
  { readonly ok: true; readonly entry: Entry } | { readonly ok: false; readonly fault: Fault }

/**
 * Parses one line (without its newline) into an entry, or the fault for which it is rejected. Never throws.
 * `null` means absent and unknown keys are ignored; a wrong type in any known field rejects the line.
 */
export function parseLine(line: string): ParseResult {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch (error) {
    return { ok: false, fault: { reason: 'invalid_json', field: '', cause: jsonFault(line, error) } }
  }
  let raw = plainEntry(value)
  if (raw === undefined) {
    const checked = entrySchema.safeParse(value)
    if (!checked.success) return schemaFault(checked.error.issues)
    raw = checked.data
  }
  const timestampMs = parseTimestamp(raw.timestamp)
  if (timestampMs === undefined) return fault('timestamp', timestampFault(raw.timestamp))
  return { ok: true, entry: normalise(raw, timestampMs) }
}

function normalise(raw: RawEntry, timestampMs: number): Entry {
  const total = raw.total_token_cost ?? undefined
  const prompt = raw.prompt_token_count ?? rest(total, raw.completion_token_count)
  const completion = raw.completion_token_count ?? rest(total, raw.prompt_token_count)
  const spent = spentOf(total, raw.prompt_token_count, raw.completion_token_count)
  const cached = raw.cached_token_count ?? undefined
  const contextTokens = raw.context_token_count ?? undefined
  const instructionTokens = raw.instruction_token_count ?? undefined
  return {
    runId: raw.workflow_run_id,
    step: raw.step_name,
    timestampMs,
    status: raw.validation_status ?? 'N/A',
    errorType: errorTypeOf(raw.validation_error_type ?? raw.error_type),
    promptTokens: prompt,
    cachedTokens: cached === undefined ? undefined : Math.min(cached, prompt ?? cached),
    completionTokens: completion,
    spentTokens: spent,
    contextTokens,
    instructionTokens,
    otherTokens: otherOf(prompt, contextTokens, instructionTokens),
    contextFileHash: sha256(raw.context_file_hash),
    errorLogChars: raw.error_log_size_chars ?? undefined,
    errorFullChars: raw.error_full?.length,
    reworkCostFactor: raw.rework_cost_factor ?? undefined,
    filesTouched: raw.files_touched?.length,
    project: nameOf(raw.project),
    instructionVersion: nameOf(raw.instruction_version),
    instructionAssignment: raw.instruction_assignment || undefined,
    model: nameOf(raw.model),
    durationMs: raw.duration_ms ?? undefined,
    costUsd: raw.cost_usd ?? undefined,
    totalMismatch: total !== undefined && spent !== undefined && !isSame(total, spent),
    cachedMismatch: cached !== undefined && prompt !== undefined && cached > prompt,
  }
}

/** Fractions do not add up exactly: 0.1 + 0.2 is not 0.3. Whole numbers do. */
const isSame = (a: number, b: number): boolean =>
  a === b ||
  (!(Number.isInteger(a) && Number.isInteger(b)) && Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a)))

/** The sum of the parts if both are known, else the total, but at least the known part. */
function spentOf(
  total: number | undefined,
  prompt: number | null | undefined,
  completion: number | null | undefined,
): number | undefined {
  if (typeof prompt === 'number' && typeof completion === 'number') return prompt + completion
  const part = prompt ?? completion ?? undefined
  return part === undefined || (total !== undefined && total >= part) ? total : part
}

/**
 * What is left of a prompt without its known parts. The parts may be estimates that exceed a measured prompt;
 * then nothing is left.
 */
function otherOf(
  prompt: number | undefined,
  context: number | undefined,
  instruction: number | undefined,
): number | undefined {
  if (prompt === undefined || (context === undefined && instruction === undefined)) return undefined
  return Math.max(prompt - (context ?? 0) - (instruction ?? 0), 0)
}

/** `whole - part`; `undefined` if one is unknown or the part exceeds the whole. */
function rest(whole: number | undefined, part: number | null | undefined): number | undefined {
  if (whole === undefined || part === undefined || part === null || part > whole) return undefined
  return whole - part
}

const nameOf = (text: string | null | undefined): string | undefined => (text ? shortName(text) : undefined)

const errorTypeOf = (text: string | null | undefined): string => (text === 'N/A' ? '' : (nameOf(text) ?? ''))

const HASH = /^[0-9a-f]{64}$/i

/** Cache: neighbouring entries mostly have the same hash. */
let lastHash = ''
let lastKnown: string | undefined

function sha256(hash: string | null | undefined): string | undefined {
  if (hash === undefined || hash === null || hash.length !== 64) return undefined
  if (hash !== lastHash) {
    lastHash = hash
    lastKnown = HASH.test(hash) ? hash.toLowerCase() : undefined
  }
  return lastKnown
}

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

function schemaFault(issues: readonly Issue[]): ParseResult {
  const first = issues[0]
  if (first === undefined) return fault('', 'not an entry')
  return fault(first.path.map(String).join('.'), first.message)
}

const fault = (field: string, cause: string): ParseResult => ({
  ok: false,
  fault: { reason: 'schema', field, cause },
})
