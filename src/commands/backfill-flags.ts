import { z } from 'zod'
import { absolutePath, nonEmpty, onOff, parsed } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { capFlags, countingFlags, pathsField, readingFlags, tempFlag } from '../config/shared-flags.ts'
import { parseDuration } from '../config/units.ts'

const OUTPUT = 'Output:'
const SAMPLES = 'Samples:'

/** A grid of more than four minutes leaves gaps: Prometheus forgets a series that has no sample for five. */
function parseStep(text: string): number | undefined {
  const step = parseDuration(text)
  return step !== undefined && step >= 1_000 && step <= 240_000 ? step : undefined
}

/** The flags of `backfill`. Each value is text, as on the command line. */
export const backfillOptions = z.strictObject({
  paths: pathsField('Directories or files with traces.'),
  out: flag({ value: '<dir>', group: OUTPUT, help: 'Directory for the OpenMetrics files.' }, absolutePath),
  prometheusData: flag(
    {
      value: '<dir>',
      group: OUTPUT,
      help: 'Data directory of Prometheus. The files are imported there with promtool.',
    },
    absolutePath.optional(),
  ),
  promtool: flag(
    { value: '<program>', group: OUTPUT, help: 'Name or path of promtool.' },
    nonEmpty.prefault('promtool'),
  ),
  keep: flag({ group: OUTPUT, help: 'Keep the files after the import.' }, onOff()),
  state: flag(
    {
      value: '<dir>',
      group: OUTPUT,
      help: 'Write a state here from which `watch --state` continues. The directory must not hold one yet.',
    },
    absolutePath.optional(),
  ),
  step: flag(
    { value: '<duration>', group: SAMPLES, help: 'Time between samples, 1s to 4m.' },
    parsed(parseStep, 'a duration from 1s to 4m').prefault('4m'),
  ),
  since: flag(
    {
      value: '<moment>',
      group: SAMPLES,
      help: 'Write no samples before this moment: 90d (that long ago), 2026-11-01, or 2026-11-01T12:00:00Z.',
    },
    z.string().optional(),
  ),
  until: flag(
    {
      value: '<moment>',
      group: SAMPLES,
      help: 'Write no samples after this moment. The last 3 hours are never written: Prometheus accepts no blocks there.',
    },
    z.string().optional(),
  ),
  job: flag(
    { value: '<name>', group: SAMPLES, help: 'The job label of the live series.' },
    nonEmpty.prefault('audit-trace-exporter'),
  ),
  instance: flag(
    { value: '<name>', group: SAMPLES, help: 'The instance label of the live series.' },
    nonEmpty.prefault('audit-trace-exporter'),
  ),
  ...readingFlags,
  temp: tempFlag,
  ...countingFlags,
  ...capFlags,
})

export type BackfillOptions = z.output<typeof backfillOptions>

export const backfillDeclaration = {
  name: 'backfill',
  summary: "import old traces into Prometheus, with the entries' own timestamps",
  description:
    'Replays every trace below the paths in order of entry time, through the code of `watch`, and writes what Prometheus ' +
    'would have scraped as OpenMetrics, one file per day. With --prometheus-data it also imports them as blocks. ' +
    'With --state, `watch` continues from the same totals: one continuous series from the first build to now.',
  flags: backfillOptions,
  notes: `
Stop the exporter before, and start it after: it then reads what was written
meanwhile. Running backfill again is safe. Give the flags under Reading files,
Counting and Limits of label values the same values as for \`watch\`.
Exit codes: 0 done, 1 failed or something could not be read or imported, 2 wrong
usage.

Examples:
  audit-trace-exporter backfill /builds --out /tmp/history
  audit-trace-exporter backfill /builds --out /tmp/history \\
    --prometheus-data /var/lib/prometheus --state /var/lib/audit`,
}
