import path from 'node:path'
import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { liveAudits } from '../../src/commands/watch-audits.ts'
import { liveTotals } from '../../src/commands/watch-totals.ts'
import { liveVerdicts } from '../../src/commands/watch-verdicts.ts'
import { cheap, corpus, directoryOf, NOW, range, reportText } from '../audits/report-setup.ts'
import { HASH_A, HASH_B } from '../setup/entries.ts'
import { createManualClock, startExporter, temporaryDirectory } from '../setup/exporter.ts'

async function verdictsOver(directory: string) {
  const state = path.join(temporaryDirectory(), 'state')
  const exporter = await startExporter({ roots: [directory], state, clock: createManualClock(NOW) })
  exporter.commits.commit()
  return liveVerdicts(exporter, liveAudits(exporter), liveTotals(exporter).tokens)
}

test('the page says the same sentences as the report over the same files', async () => {
  const directory = await corpus({ seed: 'verdicts', size: { builds: 600 } })
  const { verdicts } = JSON.parse(await reportText(directory)) as Report
  const live = await verdictsOver(directory)
  expect(live.slice(0, 3)).toEqual(verdicts.slice(0, 3))
  // How many changes are clear depends on how many comparisons there are.
  expect(live[3]?.sentence).toMatch(/^Of 4 changes of GEMINI\.md: /u)
})

const HASH_C = 'c'.repeat(64)

test('a revision is compared with the one before it of the same project', async () => {
  const ofProject = (project: string, hash: string, from: number, tokens: number) =>
    range(30).flatMap((n) =>
      cheap(`${project}-${hash}-${n}`, from + n * 180, tokens + (n % 5), hash).map((each) => ({
        ...each,
        project,
      })),
    )
  const directory = directoryOf([
    ...ofProject('shop', HASH_A, 0, 100),
    ...ofProject('site', HASH_B, 6_000, 9_000),
    ...ofProject('shop', HASH_C, 12_000, 200),
  ])
  const [tokens] = await verdictsOver(directory)
  expect(tokens?.sentence).toContain(
    'Builds under v3 cost 202 tokens on average, under v1 102 (n = 30 and 30)',
  )
  expect(tokens?.verdict).toBe('worse')
})

test('a revision with few builds says how many of 20 it has', async () => {
  const directory = directoryOf([
    ...range(30).flatMap((n) => cheap(`a${n}`, n * 180, 100, HASH_A)),
    ...range(7).flatMap((n) => cheap(`b${n}`, 6_000 + n * 180, 100, HASH_B)),
  ])
  expect((await verdictsOver(directory)).map(({ verdict }) => verdict)).toEqual([
    'not enough data',
    'not enough data',
    'nothing to compare',
    'not enough data',
  ])
  expect((await verdictsOver(directory))[1]?.sentence).toContain('not enough data, 7 of 20 under v2')
})
