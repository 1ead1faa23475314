import type { WorkflowHandle } from '@temporalio/client'
import { defaultPayloadConverter } from '@temporalio/common'
import type { GivenEntry } from '../capture/trace/log-audit-entry.ts'

export type HistoryEvent = NonNullable<Awaited<ReturnType<WorkflowHandle['fetchHistory']>>['events']>[number]
type Payload = Parameters<typeof defaultPayloadConverter.fromPayload>[0]

/** One call of `logAuditEntry` that a workflow's history shows as completed. */
export interface LoggedStep {
  /** The entry as the activity returned it, else as the workflow gave it. */
  readonly entry: GivenEntry
  /** The same in every history that contains this call: an idempotency key, or run and activity. */
  readonly id: string
  /** The directory whose trace the activity wrote; `undefined` if the history does not have it. */
  readonly workingDir: string | undefined
  /** When the server recorded the completion, in milliseconds since 1970. */
  readonly completedMs: number
}

export interface RunSteps {
  /** The first run of the chain of runs that this one continues. */
  readonly firstRunId: string
  /** The runs that were reset to make this one, the oldest first. This history has a copy of their beginning. */
  readonly baseRunIds: readonly string[]
  readonly steps: readonly LoggedStep[]
  /** Completed calls whose entry cannot be read, and why. */
  readonly unreadable: readonly string[]
}

/**
 * The entries that one run of a workflow logged: from its completed activities of these types, local ones included if they
 * return the entry. A run that was made by a reset begins with the events of its base: those calls get the base's ids.
 */
export function stepsOfHistory(
  runId: string,
  events: readonly HistoryEvent[],
  activities: readonly string[],
): RunSteps {
  const owners = ownersOf(runId, events)
  const scheduled = new Map<string, NonNullable<HistoryEvent['activityTaskScheduledEventAttributes']>>()
  const steps: LoggedStep[] = []
  const unreadable: string[] = []

  const add = (event: HistoryEvent, activityId: string, read: () => Omit<Call, 'activityId'>): void => {
    try {
      const { entry, workingDir, key } = read()
      const own = typeof entry['entry_id'] === 'string' ? entry['entry_id'] : undefined
      steps.push({
        entry,
        workingDir,
        id: key ?? own ?? `${owners.of(event)}/${activityId}`,
        completedMs: milliseconds(event.eventTime),
      })
    } catch (error) {
      unreadable.push(`event ${String(event.eventId)}: ${(error as Error).message}`)
    }
  }

  for (const event of events) {
    const { activityTaskScheduledEventAttributes: start, activityTaskCompletedEventAttributes: end } = event
    if (start && activities.includes(start.activityType?.name ?? ''))
      scheduled.set(String(event.eventId), start)
    const begun = end ? scheduled.get(String(end.scheduledEventId)) : undefined
    if (begun !== undefined)
      add(event, begun.activityId ?? '', () => callOf(begun.input?.payloads, end?.result?.payloads))
    const local = localCall(event, activities)
    if (local !== undefined) add(event, local.activityId, () => callOf(undefined, local.result))
  }
  const started = events[0]?.workflowExecutionStartedEventAttributes
  return {
    firstRunId: started?.firstExecutionRunId || runId,
    baseRunIds: owners.bases,
    steps,
    unreadable,
  }
}

interface Call {
  readonly activityId: string
  readonly entry: GivenEntry & Record<string, unknown>
  readonly workingDir: string | undefined
  readonly key: string | undefined
}

/** `logAuditEntry(workingDir, entry, idempotencyKey?)`, which may return the entry or an object that contains it. */
function callOf(
  input: readonly Payload[] | null | undefined,
  result: readonly Payload[] | null | undefined,
): Omit<Call, 'activityId'> {
  const [returned] = valuesOf(result)
  const [workingDir, given, key] = valuesOf(input)
  const inner = isObject(returned) ? returned['entry'] : undefined
  const entry = [returned, inner, given].find(isEntry)
  if (entry === undefined)
    throw new Error('neither the arguments nor the result are an entry with workflow_run_id and step_name')
  return {
    entry,
    workingDir: typeof workingDir === 'string' ? workingDir : undefined,
    key: typeof key === 'string' && key !== '' ? key : undefined,
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isEntry = (value: unknown): value is Call['entry'] =>
  isObject(value) && typeof value['workflow_run_id'] === 'string' && typeof value['step_name'] === 'string'

const valuesOf = (payloads: readonly Payload[] | null | undefined): unknown[] => (payloads ?? []).map(valueOf)

function valueOf(payload: Payload): unknown {
  try {
    return defaultPayloadConverter.fromPayload(payload)
  } catch (error) {
    const encoding = Buffer.from(payload.metadata?.['encoding'] ?? []).toString()
    throw new Error(
      `cannot decode a payload with encoding ${JSON.stringify(encoding)}: the workflow uses a data converter or codec of its own`,
      { cause: error },
    )
  }
}

/** The SDKs record a local activity as a marker, without its arguments. */
function localCall(
  { markerRecordedEventAttributes: marker }: HistoryEvent,
  activities: readonly string[],
): { readonly activityId: string; readonly result: readonly Payload[] | null | undefined } | undefined {
  if (marker?.markerName !== 'core_local_activity' || marker.failure) return undefined
  const [data] = valuesOf(marker.details?.['data']?.payloads)
  if (!isObject(data) || !activities.includes(String(data['activity_type']))) return undefined
  return { activityId: `local/${String(data['activity_id'])}`, result: marker.details?.['result']?.payloads }
}

/**
 * Which run each event belongs to. A reset copies the events of the base and ends them with a failed workflow task that
 * names both runs; a run may have been reset several times.
 */
function ownersOf(
  runId: string,
  events: readonly HistoryEvent[],
): { readonly bases: readonly string[]; of(event: HistoryEvent): string } {
  const resets = events.flatMap(({ eventId, workflowTaskFailedEventAttributes: failed }) =>
    failed?.baseRunId && failed.newRunId && failed.newRunId !== failed.baseRunId
      ? [{ at: Number(eventId), baseRunId: failed.baseRunId }]
      : [],
  )
  return {
    bases: resets.map(({ baseRunId }) => baseRunId),
    of: ({ eventId }) => resets.find(({ at }) => Number(eventId) <= at)?.baseRunId ?? runId,
  }
}

const milliseconds = (time: HistoryEvent['eventTime']): number =>
  Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6)
