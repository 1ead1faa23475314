import { existsSync } from 'node:fs'
import path from 'node:path'
import type { ReportRows } from '../capture/temporal/optimization-activities.ts'
import type { ReportFormat } from '../capture/temporal/types.ts'
import { systemClock } from '../clock.ts'
import { parseFlags } from '../config/flags.ts'
import { MANIFEST } from '../rows/dataset.ts'
import { render, renderReport } from './render-report.ts'
import { reportOptions } from './report-flags.ts'
import { openRun } from './report-run.ts'
import { growRows } from './report-source.ts'

/** What the shards of `OptimizationWorkflow` need. Pass it to `createOptimizationActivities`. */
export const reportRows: ReportRows = { update, render: renderRows }

async function update(traces: readonly string[], directory: string, signal: AbortSignal): Promise<void> {
  const faults: string[] = []
  const options = { ...parseFlags(reportOptions, {}), paths: [...traces] }
  const deps = {
    clock: systemClock,
    signal,
    print: () => undefined,
    complain: (line: string) => faults.push(line),
  }
  const run = await openRun(options, deps, systemClock.wallMs())
  try {
    const { updated } = await growRows(run, directory)
    if (!updated.isComplete) throw new Error(`Cannot read all traces: ${faults.join('; ')}`)
  } finally {
    run.close()
  }
}

async function renderRows(
  directories: readonly string[],
  format: ReportFormat,
  signal: AbortSignal,
): Promise<string> {
  const written = directories.find((directory) => existsSync(path.join(directory, MANIFEST)))
  if (written === undefined) return await renderReport([], format, signal)
  // They have one parent, and a directory in which nothing has been written yet has no manifest.
  return await render({ rows: path.join(path.dirname(written), '*') }, format, signal, systemClock)
}
