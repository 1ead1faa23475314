import { readdirSync } from 'node:fs'
import path from 'node:path'
import type { Report } from '../../src/audits/schema.ts'
import { reportOptions } from '../../src/commands/report-flags.ts'
import { report } from '../../src/commands/report.ts'
import { parseFlags } from '../../src/config/flags.ts'
import type { UpdateStep } from '../../src/rows/update.ts'

export interface Asked {
  readonly paths?: readonly string[]
  readonly rows?: string
  readonly nowMs: number
  readonly export?: string
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly reached?: (step: UpdateStep) => void
  readonly complain?: (line: string) => void
}

/** The report as JSON, with rows or without. */
export async function reportAt({
  paths = [],
  rows,
  nowMs,
  reached,
  complain,
  ...more
}: Asked): Promise<Report> {
  let text = ''
  const flags = parseFlags(reportOptions, { paths: [...paths], rows, ...more, format: 'json' })
  await report(flags, {
    clock: { wallMs: () => nowMs, monotonicMs: () => 0 },
    signal: new AbortController().signal,
    print: (more) => (text += more),
    complain: complain ?? (() => undefined),
    reached,
  })
  return JSON.parse(text) as Report
}

/** Every Parquet file below a directory of rows, relative to it. */
export const parquetBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith('.parquet'))
    .map(({ parentPath, name }) => path.relative(directory, path.join(parentPath, name)))
    .toSorted()
