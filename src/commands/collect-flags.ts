import { z } from 'zod'
import { absolutePath, nonEmpty, onOff } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { addressFlag, serverConfigOf, serverFlags, type ServerConfig } from './temporal-server-flags.ts'

const WHAT = 'What is collected:'

const collectFlags = z.strictObject({
  query: flag(
    {
      value: '<query>',
      group: WHAT,
      help: `Which workflows: a visibility query, such as 'WorkflowType="AuditedBuildWorkflow"'.`,
    },
    nonEmpty,
  ),
  out: flag(
    {
      value: '<dir>',
      group: WHAT,
      help: 'Directory for the traces: <workflow id>/<first run id>/audit_trace.jsonl.',
    },
    absolutePath,
  ),
  activity: flag(
    {
      value: '<type...>',
      group: WHAT,
      help: 'Types of activities that log an entry.',
    },
    z.array(nonEmpty).prefault(['logAuditEntry', 'appendAuditEntry']),
  ),
  all: flag(
    {
      group: WHAT,
      help: 'Also collect what was written to a directory that exists here and still has its trace.',
    },
    onOff(),
  ),
  temporalAddress: addressFlag,
  ...serverFlags,
})

export interface CollectConfig extends ServerConfig {
  readonly query: string
  readonly out: string
  readonly activities: readonly string[]
  readonly all: boolean
}

export const collectDeclaration = {
  name: 'collect',
  summary: "rebuild traces from Temporal's history",
  description:
    'Rebuilds the traces of workflows whose directories are gone, from the logAuditEntry activities in their histories: ' +
    'each entry once, also of runs that were continued as new or reset. Needs the Temporal packages.',
  flags: collectFlags,
  notes: `
What the directory has already is not written again, so the same command brings
it up to date. Collect into a directory of its own: who reads it together with
the original traces counts their builds twice. An entry that was logged without
a timestamp gets the time at which the server recorded it.

Exit codes: 0 all entries collected, 1 some could not be read or their history
is deleted, 2 wrong usage.

Examples:
  audit-trace-exporter collect --query 'WorkflowType="AuditedBuildWorkflow"' \\
    --out /collected
  audit-trace-exporter collect --out /collected \\
    --temporal-address temporal:7233 \\
    --query 'WorkflowType="MyBuild" AND StartTime > "2026-11-01T00:00:00Z"'
  audit-trace-exporter report /collected`,
}

/** Throws a `UsageError` about flags that need each other. */
export function collectConfigOf(flags: z.output<typeof collectFlags>): CollectConfig {
  const { query, out, activity: activities, all, temporalAddress: address } = flags
  return { query, out, activities, all, ...serverConfigOf({ ...flags, address }) }
}
