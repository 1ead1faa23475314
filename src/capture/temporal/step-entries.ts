import { ActivityFailure, ApplicationFailure, isCancellation } from '@temporalio/workflow'
import type { AgentEffort } from '../agent/agent-run.ts'
import type { ComplianceResult } from '../checks/compliance-checks.ts'
import type { CapturedEntry } from '../trace/entry.ts'

/** What an agent's step spent, as fields of its entry. */
export function agentEntry(effort: AgentEffort): Partial<CapturedEntry> {
  const { promptTokens, cachedTokens, completionTokens, durationMs, model, costUsd, estimateError } = effort
  return {
    ...(promptTokens === undefined ? {} : { prompt_token_count: promptTokens }),
    ...(cachedTokens === undefined ? {} : { cached_token_count: cachedTokens }),
    ...(completionTokens === undefined ? {} : { completion_token_count: completionTokens }),
    context_file_hash: effort.contextFileHash,
    validation_status: 'N/A',
    files_touched: [...effort.filesTouched],
    commands_attempted: [],
    context_token_count: effort.contextTokens,
    instruction_token_count: effort.instructionTokens,
    instruction_version: effort.instructionVersion,
    ...(effort.instructionAssignment === undefined
      ? {}
      : { instruction_assignment: effort.instructionAssignment }),
    ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
    ...(model === undefined ? {} : { model }),
    ...(costUsd === undefined ? {} : { cost_usd: costUsd }),
    estimated_fields: effort.estimatedFields,
    ...(estimateError === undefined ? {} : { estimate_error: estimateError }),
  }
}

/** What a verification found, as fields of its entry. */
export function checksEntry(result: ComplianceResult): Partial<CapturedEntry> {
  const entry: Partial<CapturedEntry> = {
    validation_status: result.status,
    commands_attempted: [...result.commandsAttempted],
    files_touched: [],
    duration_ms: result.durationMs,
  }
  if (result.failure === undefined) return entry
  return {
    ...entry,
    validation_error_type: result.failure.errorType,
    error_full: result.failure.log,
    error_log_size_chars: result.failure.logChars,
  }
}

/** Error type and message of the last attempt's failure. `AGENT_LOST`: the server timed the activity out. */
export function agentFailure(error: unknown): { readonly type: string; readonly message: string } {
  const cause = error instanceof ActivityFailure ? error.cause : error
  const message = cause instanceof Error ? cause.message : String(cause)
  if (isCancellation(error)) return { type: 'AGENT_CANCELLED', message }
  if (!(cause instanceof ApplicationFailure)) return { type: 'AGENT_LOST', message }
  const known = cause.type?.startsWith('AGENT_') === true
  return { type: known ? (cause.type ?? '') : 'AGENT_FAILED', message }
}
