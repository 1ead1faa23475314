import path from 'node:path'
import { expect, test } from 'vitest'
import type { Report } from '../../src/audits/schema.ts'
import { liveAudits } from '../../src/commands/watch-audits.ts'
import { liveTotals } from '../../src/commands/watch-totals.ts'
import { liveVerdicts } from '../../src/commands/watch-verdicts.ts'
import {
  cheap,
  corpus,
  directoryOf,
  minute,
  NOW,
  range,
  reportText,
  verified,
} from '../audits/report-setup.ts'
import { entry, HASH_A, HASH_B } from '../setup/entries.ts'
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

interface Implemented {
  readonly version: string
  readonly assignment?: string
  readonly passes: boolean
}

/** Builds of one implement step, six hours apart. */
const implemented = (name: string, count: number, of: (n: number) => Implemented) =>
  range(count).flatMap((n) => {
    const { version, assignment, passes } = of(n)
    const step = {
      workflow_run_id: `${name}-${n}`,
      timestamp: minute(n * 360),
      step_name: 'implement',
      instruction_version: version,
      ...(assignment !== undefined && { instruction_assignment: assignment }),
    }
    return [entry(step), verified(`${name}-${n}`, n * 360 + 1, passes ? 'pass' : 'fail')]
  })

const versionOf = (n: number): string => (n % 2 === 0 ? 'one' : 'two')

test('prompt versions that were assigned at random are compared among the builds of their draw, as in the report', async () => {
  const directory = directoryOf([
    ...implemented('drawn', 120, (n) => ({
      version: versionOf(n),
      assignment: 'one:1 two:1',
      passes: n % 2 === 1 || n % 3 === 0,
    })),
    // Easy work, for which only the first was used: among all builds it would look as good.
    ...implemented('easy', 90, () => ({ version: 'one', passes: true })),
  ])
  const verdict = (await verdictsOver(directory))[2]
  expect(verdict).toMatchObject({ verdict: 'worse' })
  expect(verdict?.sentence).toContain('(n = 60 and 60, assigned at random)')
  const { verdicts } = JSON.parse(await reportText(directory)) as Report
  expect(verdict).toEqual(verdicts[2])
})

test('a build with a step that was not assigned at random is of no draw', async () => {
  const directory = directoryOf([
    ...implemented('drawn', 120, (n) => ({
      version: versionOf(n),
      assignment: 'one:1 two:1',
      passes: n % 2 === 1 || n % 3 === 0,
    })),
    ...range(120).map((n) =>
      entry({
        workflow_run_id: `drawn-${n}`,
        timestamp: minute(n * 360),
        step_name: 'implement_more',
        instruction_version: versionOf(n),
      }),
    ),
  ])
  const verdict = (await verdictsOver(directory))[2]
  expect(verdict?.sentence).toContain('(n = 60 and 60)')
  const { verdicts } = JSON.parse(await reportText(directory)) as Report
  expect(verdict).toEqual(verdicts[2])
})
