/**
 * How many reports show a finding on traces without any difference. At most 5 % of them may.
 *
 *   npm run noise -- [--reports 300] [--batches] [--luck 0.5] [--days 24] [--batches-per-day 1] [--builds 12]
 *                    [--versions-by build|batch] [--effect 1] [--seed noise]
 *
 * Without --batches the builds are independent of each other. With --batches, builds come in nightly runs of one
 * project that share their luck. With --effect 1.5 the second revision fails 1.5 times as often: how often is that found?
 */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Report } from '../src/audits/schema.ts'
import { wilson } from '../src/audits/statistics.ts'
import { renderReport } from '../src/commands/render-report.ts'
import { INDEPENDENT, NIGHTLY, writeNoise } from './noise-corpus.ts'

const { values } = parseArgs({
  options: {
    reports: { type: 'string', default: '300' },
    batches: { type: 'boolean', default: false },
    luck: { type: 'string' },
    days: { type: 'string' },
    'batches-per-day': { type: 'string' },
    builds: { type: 'string' },
    'versions-by': { type: 'string' },
    effect: { type: 'string', default: '1' },
    seed: { type: 'string', default: 'noise' },
  },
})
const kind = values.batches ? NIGHTLY : INDEPENDENT
const options = {
  days: Number(values.days ?? kind.days),
  batchesPerDay: Number(values['batches-per-day'] ?? kind.batchesPerDay),
  buildsPerBatch: Number(values.builds ?? kind.buildsPerBatch),
  luck: Number(values.luck ?? kind.luck),
  versionsBy: values['versions-by'] === 'batch' ? ('batch' as const) : kind.versionsBy,
  effect: Number(values.effect),
}
const reports = Number(values.reports)
console.log(`${reports} reports, ${JSON.stringify(options)}`)

const signal = new AbortController().signal
const titles = new Map<string, number>()
let withFindings = 0
let comparisons = 0
for (let n = 0; n < reports; n++) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'audit-noise-'))
  try {
    writeNoise(directory, { ...options, seed: `${values.seed}-${n}` })
    const report = JSON.parse(await renderReport([directory], 'json', signal)) as Report
    const found = [...report.insights.filter(({ kind }) => kind === 'finding'), ...report.confirmed]
    comparisons += report.method.comparisons
    if (found.length > 0) withFindings++
    for (const { title } of found) titles.set(title, (titles.get(title) ?? 0) + 1)
  } finally {
    fs.rmSync(directory, { recursive: true })
  }
}

const percent = (share = 0): string => `${(share * 100).toFixed(1)} %`
const rate = wilson(withFindings, reports)
console.log(
  `${withFindings} of ${reports} reports show a finding: ${percent(rate?.value)} ` +
    `(95 % interval ${percent(rate?.low)} to ${percent(rate?.high)}); ${(comparisons / reports).toFixed(1)} comparisons each`,
)
for (const [title, times] of [...titles].toSorted(([, a], [, b]) => b - a)) console.log(`${times} × ${title}`)
