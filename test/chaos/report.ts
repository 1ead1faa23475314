import type { ChaosReport } from './rounds.ts'

const SHOWN = 40

/** The outcome as a table, and each mismatch by name. */
export function formatReport(report: ChaosReport, seed: string, seconds: number): string {
  const { kills, mismatches } = report
  const rows: [string, number | string][] = [
    ['seed', seed],
    ['seconds', seconds],
    ['rounds', report.rounds],
    ['kills', kills.outside + kills.chosen],
    ['  from outside, at any moment', kills.outside],
    ['  while reading or committing', kills.chosen],
    ['stops in good order', kills.stops],
    ['files', report.files],
    ['lines', report.lines],
    ['lines in files destroyed unread', report.linesAtRisk],
    ['  of these still read', report.linesAtRiskRead],
    ['series', report.series],
    ['samples in two Prometheus', report.samples],
    ['mismatches', mismatches.length],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return [
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`),
    ...mismatches
      .slice(0, SHOWN)
      .map(
        ({ where, series, expected, got }) =>
          `${where}: ${series}: expected ${String(expected)}, got ${String(got)}`,
      ),
    ...(mismatches.length > SHOWN ? [`and ${mismatches.length - SHOWN} more`] : []),
    ...(mismatches.length > 0 ? [`again: npm run chaos -- --rounds ${report.rounds} --seed ${seed}`] : []),
  ].join('\n')
}
