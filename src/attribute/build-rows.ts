import { z } from 'zod'
import type { SqlValue, Transaction } from '../state/durable.ts'
import { newBuild, OUTCOMES, type BuildState } from './build.ts'

/** Columns of the table `builds` that every build has. `late_context` is that of late entries, if it is another. */
const COMMON = {
  number: z.number(),
  run_hash: z.number(),
  run_id: z.string(),
  outcome: z.enum(OUTCOMES).nullable(),
  context: z.string().nullable(),
  late_context: z.string().nullable(),
  failing_error_type: z.string(),
  failing_log_chars: z.number().nullable(),
  last_entry_ms: z.number(),
  project: z.string().nullable(),
}
/** Columns that only an open build needs: there is a row for every build ever seen, so that of a closed one is short. */
const OPEN_ONLY = {
  failed: z.number().nullable(),
  passed_step: z.number().nullable(),
  rework_steps: z.number().nullable(),
  tokens: z.number().nullable(),
  started_ms: z.number().nullable(),
  idle_since_ms: z.number().nullable(),
  instructions: z.string().nullable(),
}
const rowSchema = z.strictObject({ ...COMMON, ...OPEN_ONLY })
type Row = z.infer<typeof rowSchema>

const columnsOf = <T extends object>(shape: T): (keyof T & string)[] =>
  Object.keys(shape) as (keyof T & string)[]
const COMMON_COLUMNS = columnsOf(COMMON)
const OPEN_COLUMNS = columnsOf({ ...COMMON, ...OPEN_ONLY })
const COLUMNS = OPEN_COLUMNS.join(', ')

const upsert = (columns: readonly string[], cleared: readonly string[]): string => {
  const updates = [
    ...columns.map((column) => `${column} = excluded.${column}`),
    ...cleared.map((column) => `${column} = NULL`),
  ]
  return (
    `INSERT INTO builds (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')}) ` +
    `ON CONFLICT (number) DO UPDATE SET ${updates.join(', ')}`
  )
}
const UPSERT_OPEN = upsert(OPEN_COLUMNS, [])
const UPSERT_CLOSED = upsert(COMMON_COLUMNS, columnsOf(OPEN_ONLY))

export const SELECT_OPEN_BUILDS = `SELECT ${COLUMNS} FROM builds WHERE outcome IS NULL`
export const SELECT_BUILD = `SELECT ${COLUMNS} FROM builds WHERE run_hash = ? AND run_id = ?`
export const SELECT_LAST_NUMBER = 'SELECT max(number) AS number FROM builds'

export function writeBuild(transaction: Transaction, build: BuildState): void {
  const common = commonPart(build)
  if (build.outcome !== undefined) {
    transaction.run(UPSERT_CLOSED, ...COMMON_COLUMNS.map((column) => common[column]))
    return
  }
  const row = { ...common, ...openValues(build) }
  transaction.run(UPSERT_OPEN, ...OPEN_COLUMNS.map((column) => row[column]))
}

function commonPart(build: BuildState): Pick<Row, keyof typeof COMMON> {
  const isOpen = build.outcome === undefined
  const late = !isOpen && build.contextFileHash !== build.closingContextFileHash
  return {
    number: build.number,
    run_hash: build.runHash,
    run_id: build.runId,
    outcome: build.outcome ?? null,
    context: pack(isOpen ? build.contextFileHash : build.closingContextFileHash),
    late_context: late ? pack(build.contextFileHash) : null,
    failing_error_type: build.failingErrorType,
    failing_log_chars: build.failingLogChars ?? null,
    last_entry_ms: build.lastEntryMs,
    project: build.project ?? null,
  }
}

const openValues = (build: BuildState): Pick<Row, keyof typeof OPEN_ONLY> => ({
  failed: Number(build.failed),
  passed_step: Number(build.passedStep),
  rework_steps: build.reworkSteps,
  tokens: build.tokens,
  started_ms: build.startedMs,
  idle_since_ms: build.idleSinceMs,
  instructions: JSON.stringify(build.instructions),
})

/** Throws if the row is not as `writeBuild` writes it. */
export function readBuild(values: Record<string, SqlValue>): BuildState {
  const { success, data: row, error } = rowSchema.safeParse(values)
  if (!success) {
    const build = String(values['run_id'])
    throw new Error(`Failed to read the state of build ${build}: ${z.prettifyError(error)}`, { cause: error })
  }
  return {
    ...newBuild(row.run_id, row.run_hash, row.number),
    outcome: row.outcome ?? undefined,
    contextFileHash: unpack(row.late_context ?? row.context),
    closingContextFileHash: row.outcome === null ? undefined : unpack(row.context),
    failingErrorType: row.failing_error_type,
    failingLogChars: row.failing_log_chars ?? undefined,
    lastEntryMs: row.last_entry_ms,
    project: row.project ?? undefined,
    ...(row.outcome === null && openPart(row)),
  }
}

const openPart = (row: Row): Partial<BuildState> => ({
  failed: row.failed === 1,
  passedStep: row.passed_step === 1,
  reworkSteps: row.rework_steps ?? 0,
  tokens: row.tokens ?? 0,
  startedMs: row.started_ms ?? row.last_entry_ms,
  idleSinceMs: row.idle_since_ms ?? row.last_entry_ms,
  instructions: JSON.parse(row.instructions ?? '[]') as string[],
})

/** Neighbouring builds share their context: each hash is packed once. */
let lastHash = ''
let lastPacked = ''

/** SHA-256 as base64url: two thirds of the length. */
function pack(hex: string | undefined): string | null {
  if (hex === undefined) return null
  if (hex !== lastHash) {
    lastPacked = Buffer.from(hex, 'hex').toString('base64url')
    lastHash = hex
  }
  return lastPacked
}

const unpack = (packed: string | null): string | undefined =>
  packed === null ? undefined : Buffer.from(packed, 'base64url').toString('hex')
