import { z } from 'zod'
import type { SqlValue, Transaction } from '../state/durable.ts'
import { newBuild, OUTCOMES, type BuildState } from './build.ts'

/** Columns of the table `builds`. What only an open build needs is null once it is closed. */
const rowSchema = z.strictObject({
  run_id: z.string(),
  outcome: z.enum(OUTCOMES).nullable(),
  context: z.string().nullable(),
  closing_context: z.string().nullable(),
  failing_error_type: z.string(),
  failing_log_chars: z.number().nullable(),
  last_entry_ms: z.number(),
  failed: z.number().nullable(),
  passed_step: z.number().nullable(),
  rework_steps: z.number().nullable(),
  tokens: z.number().nullable(),
  started_ms: z.number().nullable(),
  idle_since_ms: z.number().nullable(),
  instructions: z.string().nullable(),
})
type Row = z.infer<typeof rowSchema>

const COLUMNS = Object.keys(rowSchema.shape) as (keyof Row)[]
const UPSERT =
  `INSERT INTO builds (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')}) ` +
  `ON CONFLICT (run_id) DO UPDATE SET ${COLUMNS.map((column) => `${column} = excluded.${column}`).join(', ')}`

export const SELECT_OPEN_BUILDS = `SELECT ${COLUMNS.join(', ')} FROM builds WHERE outcome IS NULL`
export const SELECT_BUILD = `SELECT ${COLUMNS.join(', ')} FROM builds WHERE run_id = ?`

export function writeBuild(transaction: Transaction, build: BuildState): void {
  const row = rowOf(build)
  transaction.run(UPSERT, ...COLUMNS.map((column) => row[column]))
}

function rowOf(build: BuildState): Row {
  const isOpen = build.outcome === undefined
  return {
    run_id: build.runId,
    outcome: build.outcome ?? null,
    context: pack(build.contextFileHash),
    closing_context: pack(build.closingContextFileHash),
    failing_error_type: build.failingErrorType,
    failing_log_chars: build.failingLogChars ?? null,
    last_entry_ms: build.lastEntryMs,
    // There is a row for every build ever seen, so that of a closed one is short.
    failed: isOpen ? Number(build.failed) : null,
    passed_step: isOpen ? Number(build.passedStep) : null,
    rework_steps: isOpen ? build.reworkSteps : null,
    tokens: isOpen ? build.tokens : null,
    started_ms: isOpen ? build.startedMs : null,
    idle_since_ms: isOpen ? build.idleSinceMs : null,
    instructions: isOpen ? JSON.stringify(build.instructions) : null,
  }
}

/** Throws if the row is not as `writeBuild` writes it. */
export function readBuild(values: Record<string, SqlValue>): BuildState {
  const { success, data: row, error } = rowSchema.safeParse(values)
  if (!success) {
    const build = String(values['run_id'])
    throw new Error(`Failed to read the state of build ${build}: ${z.prettifyError(error)}`, { cause: error })
  }
  return {
    ...newBuild(row.run_id),
    outcome: row.outcome ?? undefined,
    contextFileHash: unpack(row.context),
    closingContextFileHash: unpack(row.closing_context),
    failingErrorType: row.failing_error_type,
    failingLogChars: row.failing_log_chars ?? undefined,
    lastEntryMs: row.last_entry_ms,
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
