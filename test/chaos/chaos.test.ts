import { expect, test } from 'vitest'
import { requireProgram } from '../setup/programs.ts'
import { formatReport } from './report.ts'
import { runChaos } from './rounds.ts'

test('after twenty rounds of kills, renames, truncations and deletions every total and every increase is exact', async () => {
  requireProgram('prometheus')
  const seed = '20'
  const report = await runChaos({ rounds: 20, seed })
  expect(report.mismatches, formatReport(report, seed, 0)).toEqual([])
  expect(report.kills.outside + report.kills.chosen).toBeGreaterThan(10)
  expect(report.lines).toBeGreaterThan(500)
}, 600_000)
