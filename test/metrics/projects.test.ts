import { renameSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { HASH_A } from '../setup/entries.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { seriesKey } from '../setup/exposition.ts'
import { settle } from '../setup/series.ts'

type Scrape = ReadonlyMap<string, number>

const builds = (scraped: Scrape, project: string | undefined, outcome = 'first_pass'): number | undefined =>
  scraped.get(
    seriesKey('audit_builds_total', {
      outcome,
      context_hash: 'unknown',
      ...(project !== undefined && { project }),
    }),
  )
const buildTokens = (scraped: Scrape, project: string | undefined): number | undefined =>
  scraped.get(
    seriesKey('audit_build_tokens_total', {
      outcome: 'first_pass',
      context_hash: 'unknown',
      ...(project !== undefined && { project }),
    }),
  )
const cost = (scraped: Scrape, project: string | undefined): number | undefined =>
  scraped.get(
    seriesKey('audit_cost_usd_total', {
      phase: 'scaffold',
      model: 'pro',
      ...(project !== undefined && { project }),
    }),
  )

const PASS = { step_name: 'verify', validation_status: 'pass' }
const STEP = { model: 'pro', cost_usd: 1, prompt_token_count: 10 }

test('the project of a build is its first known one; an entry counts for its own', async () => {
  const world = await createEngineWorld()
  world.append(
    { ...STEP },
    { ...STEP, project: 'billing' },
    { ...STEP, project: 'payments' },
    { ...STEP },
    PASS,
  )
  await world.read()
  const scraped = await settle(world)
  expect([builds(scraped, 'billing'), builds(scraped, 'payments'), builds(scraped, undefined)]).toEqual([
    1,
    undefined,
    undefined,
  ])
  expect(buildTokens(scraped, 'billing')).toBe(40)
  expect([cost(scraped, undefined), cost(scraped, 'billing'), cost(scraped, 'payments')]).toEqual([1, 2, 1])
})

test('an open build keeps its project over a restart, a closed one for its late entries', async () => {
  const world = await createEngineWorld()
  world.append({ ...STEP, project: 'billing' })
  await world.read()
  await world.restart()
  world.append({ ...STEP }, PASS)
  await world.read()
  await world.restart()
  world.append({ ...STEP, project: 'payments' })
  await world.read()
  const scraped = await settle(world)
  expect(builds(scraped, 'billing')).toBe(1)
  expect([buildTokens(scraped, 'billing'), buildTokens(scraped, 'payments')]).toEqual([30, undefined])
  expect([cost(scraped, 'billing'), cost(scraped, 'payments')]).toEqual([2, 1])
})

test('a build that closed without a project keeps none when a late entry names one', async () => {
  const world = await createEngineWorld()
  world.append(STEP, PASS, { ...STEP, project: 'billing' })
  await world.read()
  const scraped = await settle(world)
  expect([buildTokens(scraped, undefined), buildTokens(scraped, 'billing')]).toEqual([20, undefined])
})

test('a path names the project of entries without one, also after a rotation', async () => {
  const world = await createEngineWorld({ flags: { projectFromPath: '/(?<project>builds)/' } })
  world.append(STEP, PASS)
  await world.read()
  renameSync(world.trace, path.join(path.dirname(world.trace), 'audit_trace.jsonl.1'))
  world.append({ ...STEP, workflow_run_id: 'other' }, { ...PASS, workflow_run_id: 'other' })
  await world.read()
  const scraped = await settle(world)
  expect([builds(scraped, 'builds'), cost(scraped, 'builds')]).toEqual([2, 2])
})

test('projects past the limit count as _other from their birth, and each of their entries as an overflow', async () => {
  const world = await createEngineWorld({ flags: { maxProjects: '1' } })
  const overflow = 'audit_exporter_label_overflow_total{label="project"}'
  expect((await world.scrape()).has(overflow)).toBe(false)
  for (const project of ['a', 'b', 'c'])
    world.append({ ...STEP, workflow_run_id: project, project }, { ...PASS, workflow_run_id: project })
  await world.read()
  const first = await settle(world)
  expect([builds(first, 'a'), builds(first, '_other'), builds(first, 'b')]).toEqual([1, 2, undefined])
  expect(first.get(overflow)).toBe(4)
  await world.restart()
  world.append({ ...STEP, workflow_run_id: 'd', project: 'b' })
  await world.read()
  const second = await settle(world)
  expect([cost(second, 'a'), cost(second, '_other')]).toEqual([1, 3])
})

test('a revision has one info series for each project that uses it, also after a restart', async () => {
  const world = await createEngineWorld()
  const info = (scraped: Scrape): string[] =>
    [...scraped.keys()].filter((key) => key.startsWith('audit_context_info'))
  const series = (project?: string): string =>
    seriesKey('audit_context_info', {
      context_hash: HASH_A.slice(0, 12),
      context_file_hash: HASH_A,
      version: 'v1',
      ...(project !== undefined && { project }),
    })
  world.append({ context_file_hash: HASH_A })
  await world.read()
  expect(info(await world.scrape())).toEqual([series()])
  world.append({ workflow_run_id: 'b', context_file_hash: HASH_A, project: 'billing' })
  await world.read()
  expect(info(await world.scrape())).toEqual([series(), series('billing')])
  await world.restart()
  expect(info(await world.scrape())).toEqual([series(), series('billing')])
})

test('without projects no series has the label', async () => {
  const world = await createEngineWorld({ before: [{ ...STEP, context_file_hash: HASH_A }, PASS] })
  expect([...(await world.scrape()).keys()].filter((key) => key.includes('project'))).toEqual([])
})
