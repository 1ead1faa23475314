import { isGrpcServiceError, WorkflowNotFoundError, type Client } from '@temporalio/client'
import {
  collectTraces,
  type CollectDeps,
  type CollectOptions,
  type CollectSummary,
  type Run,
} from './collect.ts'

/** Types of activities that log an entry, named like the functions that they call. */
const LOGGING_ACTIVITIES: readonly string[] = ['logAuditEntry', 'appendAuditEntry']

export interface CollectRequest extends Partial<CollectOptions> {
  /** A visibility query that selects workflows, such as `WorkflowType="AuditedBuildWorkflow"`. */
  readonly query: string
  /** Directory for the traces: `out/WORKFLOW ID/FIRST RUN ID/audit_trace.jsonl`. */
  readonly out: string
}

export interface CollectFromClientDeps extends Partial<Pick<CollectDeps, 'signal' | 'onProgress' | 'warn'>> {}

/**
 * Rebuilds traces from the histories of the workflows that the query selects, as the command `collect` does.
 * Throws with the server's reason if it refuses the query, and with path and cause if a trace cannot be written.
 */
export async function collectFromClient(
  client: Client,
  { query, ...request }: CollectRequest,
  { signal = new AbortController().signal, warn = () => undefined, ...deps }: CollectFromClientDeps = {},
): Promise<CollectSummary> {
  const options = { activities: LOGGING_ACTIVITIES, all: false, ...request }
  return await collectTraces(options, {
    ...deps,
    signal,
    warn,
    runs: runsOf(client, query),
    fetchEvents: async ({ workflowId, runId }) => {
      try {
        return (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? []
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return undefined
        throw error
      }
    },
  })
}

async function* runsOf(client: Client, query: string): AsyncIterable<Run> {
  try {
    for await (const { workflowId, runId, startTime } of client.workflow.list({ query }))
      yield { workflowId, runId, startMs: startTime.getTime() }
  } catch (error) {
    const { cause } = error as Error
    const details = isGrpcServiceError(cause) ? cause.details : (error as Error).message
    throw new Error(`the server cannot list the workflows of ${JSON.stringify(query)}: ${details}`, {
      cause: error,
    })
  }
}
