import { z } from 'zod'
import { absolutePath, memorySize, nonEmpty, oneOf } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { countingFlags, readingFlags, tempFlag } from '../config/shared-flags.ts'

const REPORT = 'Report:'

/** The flags of `report`. Each value is text, as on the command line. */
export const reportOptions = z.strictObject({
  paths: flag(
    {
      value: '[path...]',
      positional: true,
      help: 'Directories or files with traces. Without any, the report is on the rows of --rows alone.',
    },
    z.array(absolutePath).prefault([]),
  ),
  since: flag(
    {
      value: '<moment>',
      group: REPORT,
      help: 'Leave out entries before this moment: 30d (that long ago), 2026-11-01, or 2026-11-01T12:00:00Z.',
    },
    z.string().optional(),
  ),
  until: flag(
    { value: '<moment>', group: REPORT, help: 'Leave out entries from this moment on.' },
    z.string().optional(),
  ),
  format: flag(
    {
      value: '<format>',
      group: REPORT,
      help: 'md (fits a pull request), html (one self-contained file) or json (follows docs/report.schema.json).',
    },
    oneOf(['md', 'html', 'json']).prefault('md'),
  ),
  out: flag(
    { value: '<file>', group: REPORT, help: 'File to write. Default, and what - means: standard output.' },
    nonEmpty.transform((file) => (file === '-' ? undefined : file)).optional(),
  ),
  export: flag(
    {
      value: '<file>',
      group: REPORT,
      help: 'Also write every attributed entry to this Parquet file, whatever the period.',
    },
    nonEmpty
      .refine((file) => file !== '-', '"-" is not a file: Parquet cannot be written to standard output')
      .optional(),
  ),
  memory: flag(
    {
      value: '<size>',
      env: 'AUDIT_MEMORY',
      group: REPORT,
      help: "Memory to stay below, at least 128MiB; a container's limit counts if it is lower. What does not fit goes to --temp.",
    },
    memorySize.prefault('1GiB'),
  ),
  rows: flag(
    {
      value: '<dir>',
      env: 'AUDIT_ROWS',
      group: REPORT,
      help:
        'With paths: keep the attributed rows in this directory, as Parquet by day and project, and read only what the traces have grown by ' +
        'since the last run. Without paths: report on the rows alone; a pattern in quotes takes several directories, s3:// an object store.',
    },
    nonEmpty.optional(),
  ),
  ...readingFlags,
  temp: tempFlag,
  ...countingFlags,
})

export type ReportOptions = z.output<typeof reportOptions>

export const reportDeclaration = {
  name: 'report',
  summary: 'write the four audits and what to change, as Markdown, HTML or JSON',
  description:
    'Reads every trace below the paths and reports Token Efficiency, Constraint Effectiveness, Prompt Refinement and ' +
    'Context Volatility, with what to change, ranked by the tokens that could be saved. Needs @duckdb/node-api.',
  flags: reportOptions,
  notes: `
Exit codes: 0 done, 1 failed or something could not be read, 2 wrong usage.

Examples:
  audit-trace-exporter report /builds --since 30d
  audit-trace-exporter report /builds --format html --out report.html
  audit-trace-exporter report /builds --export rows.parquet --out report.md
  audit-trace-exporter report /builds --format json | jq '.insights[0]'
  audit-trace-exporter report /archive --memory 4GiB --temp /var/tmp

Read once, report each day, also when the traces are gone:
  audit-trace-exporter report /builds --rows /var/lib/audit-rows
  audit-trace-exporter report --rows '/shared/rows/*' --since 30d`,
}
