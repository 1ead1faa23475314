import { z } from 'zod'
import { OUTCOMES } from '../attribute/build.ts'
import type { Reader, Transaction } from '../state/durable.ts'
import type { RecentBuild } from './recent-build.ts'

const rowSchema = z.strictObject({
  outcome: z.enum(OUTCOMES).optional(),
  project: z.string().optional(),
  first_context: z.string().optional(),
  context: z.string().optional(),
  implement_prompt: z.string().nullable().optional(),
  implement_draw: z.string().nullable().optional(),
  fix_prompts: z
    .array(
      z.strictObject({
        version: z.string(),
        fixes: z.number(),
        tokens: z.number(),
        completion_tokens: z.number(),
        error_log_chars: z.number(),
      }),
    )
    .default([]),
  started_ms: z.number(),
  first_entry_ms: z.number(),
  last_entry_ms: z.number(),
  entries: z.number(),
  tokens: z.number(),
  failures: z.number(),
  rework_steps: z.number(),
  stretches: z.array(z.strictObject({ path: z.string(), from: z.number(), to: z.number() })),
})

const UPSERT = 'INSERT OR REPLACE INTO recent_builds (run_id, data) VALUES (?, ?)'

export function writeRecent(transaction: Transaction, build: RecentBuild): void {
  const row: z.infer<typeof rowSchema> = {
    outcome: build.outcome,
    project: build.project,
    first_context: build.firstContext,
    context: build.context,
    implement_prompt: build.implementPrompt,
    implement_draw: build.implementDraw,
    fix_prompts: build.fixPrompts.map(({ completionTokens, errorLogChars, ...prompt }) => ({
      ...prompt,
      completion_tokens: completionTokens,
      error_log_chars: errorLogChars,
    })),
    started_ms: build.startedMs,
    first_entry_ms: build.firstEntryMs,
    last_entry_ms: build.lastEntryMs,
    entries: build.entries,
    tokens: build.tokens,
    failures: build.failures,
    rework_steps: build.reworkSteps,
    stretches: [...build.stretches],
  }
  transaction.run(UPSERT, build.runId, JSON.stringify(row))
}

export const deleteRecent = (transaction: Transaction, runId: string): void =>
  transaction.run('DELETE FROM recent_builds WHERE run_id = ?', runId)

/** Throws if a row is not as `writeRecent` writes it. */
export const readRecent = (state: Reader): RecentBuild[] =>
  state.all('SELECT run_id, data FROM recent_builds').map(({ run_id: runId, data }) => {
    const { success, data: row, error } = rowSchema.safeParse(JSON.parse(String(data)))
    if (!success) {
      throw new Error(`Failed to read recent build ${String(runId)}: ${z.prettifyError(error)}`, {
        cause: error,
      })
    }
    return {
      runId: String(runId),
      outcome: row.outcome,
      project: row.project,
      firstContext: row.first_context,
      context: row.context,
      implementPrompt: row.implement_prompt,
      implementDraw: row.implement_draw,
      fixPrompts: row.fix_prompts.map(
        ({ completion_tokens: completionTokens, error_log_chars: errorLogChars, ...prompt }) => ({
          ...prompt,
          completionTokens,
          errorLogChars,
        }),
      ),
      startedMs: row.started_ms,
      firstEntryMs: row.first_entry_ms,
      lastEntryMs: row.last_entry_ms,
      entries: row.entries,
      tokens: row.tokens,
      failures: row.failures,
      reworkSteps: row.rework_steps,
      stretches: row.stretches,
    }
  })
