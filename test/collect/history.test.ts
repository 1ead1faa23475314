import { expect, test } from 'vitest'
import { stepsOfHistory, type HistoryEvent } from '../../src/collect/history.ts'

const json = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
})
const encrypted = { metadata: { encoding: Buffer.from('binary/encrypted') }, data: Buffer.from([1, 2, 3]) }
const ENTRY = { workflow_run_id: 'w', step_name: 'scaffold' }

const event = (eventId: number, attributes: Record<string, unknown>): HistoryEvent =>
  ({
    eventId,
    eventTime: { seconds: 1_700_000_000 + eventId, nanos: 5e8 },
    ...attributes,
  }) as unknown as HistoryEvent
const scheduled = (eventId: number, name: string, ...payloads: unknown[]): HistoryEvent =>
  event(eventId, {
    activityTaskScheduledEventAttributes: {
      activityId: `a${eventId}`,
      activityType: { name },
      input: { payloads },
    },
  })
const completed = (eventId: number, scheduledEventId: number, ...payloads: unknown[]): HistoryEvent =>
  event(eventId, { activityTaskCompletedEventAttributes: { scheduledEventId, result: { payloads } } })
const reset = (eventId: number, baseRunId: string, newRunId: string): HistoryEvent =>
  event(eventId, { workflowTaskFailedEventAttributes: { baseRunId, newRunId } })

const read = (...events: HistoryEvent[]) => stepsOfHistory('run', events, ['logAuditEntry'])

test('only completed activities of the given types are entries, at the time of their completion', () => {
  const { steps } = read(
    scheduled(1, 'logAuditEntry', json('/builds/1'), json(ENTRY)),
    scheduled(2, 'logAuditEntry', json('/builds/1'), json(ENTRY)),
    scheduled(3, 'runComplianceChecks', json(ENTRY)),
    completed(4, 3),
    completed(5, 1),
  )
  expect(steps).toEqual([
    { entry: ENTRY, id: 'run/a1', workingDir: '/builds/1', completedMs: 1_700_000_005_500 },
  ])
})

test('an entry that the activity returns has what it derived; a key identifies it', () => {
  const logged = { ...ENTRY, total_token_cost: 7 }
  const { steps } = read(
    scheduled(1, 'logAuditEntry', json('/builds/1'), json(ENTRY), json('key')),
    completed(2, 1, json({ entry: logged, written: true })),
  )
  expect(steps).toMatchObject([{ entry: logged, id: 'key' }])
})

test('after several resets each call has the id of the run in which it ended', () => {
  const call = (at: number): HistoryEvent[] => [
    scheduled(at, 'logAuditEntry', json('/b'), json(ENTRY)),
    completed(at + 1, at),
  ]
  const { steps, baseRunIds } = read(
    ...call(1),
    scheduled(3, 'logAuditEntry', json('/b'), json(ENTRY)),
    reset(4, 'first', 'second'),
    completed(5, 3),
    reset(6, 'second', 'run'),
    ...call(7),
  )
  expect(steps.map(({ id }) => id)).toEqual(['first/a1', 'second/a3', 'run/a7'])
  expect(baseRunIds).toEqual(['first', 'second'])
})

test('what cannot be decoded is named with its encoding, and the rest is read', () => {
  const { steps, unreadable } = read(
    scheduled(1, 'logAuditEntry', encrypted),
    completed(2, 1),
    scheduled(3, 'logAuditEntry', json('/b'), json({ step_name: 'no build' })),
    completed(4, 3),
    scheduled(5, 'logAuditEntry', json('/b'), json(ENTRY)),
    completed(6, 5),
  )
  expect(steps).toHaveLength(1)
  expect(unreadable).toEqual([
    expect.stringMatching(/^event 2: cannot decode a payload with encoding "binary\/encrypted": .*codec/),
    expect.stringMatching(/^event 4: neither the arguments nor the result are an entry/),
  ])
})
