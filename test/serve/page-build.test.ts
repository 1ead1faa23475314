import { afterAll, expect, test } from 'vitest'
import { createBuildSteps } from '../../src/recent/build-steps.ts'
import { renderBuild, renderNoBuild } from '../../src/serve/page-build.ts'
import type { BuildView } from '../../src/serve/status.ts'
import { createPhaseOf } from '../../src/attribute/phase.ts'
import { closeChromium } from '../setup/chromium.ts'
import { entry, HASH_A } from '../setup/entries.ts'
import { LOOKS, pageFaults } from '../setup/page-faults.ts'
import { type Opened, openServed } from './open-page.ts'
import { manyOfEach, summary } from './status-fixture.ts'

afterAll(closeChromium)

const HOSTILE = `<img src=x onerror="alert(1)"></script><script>alert(2)</script>`

function viewOf(over: Partial<BuildView> = {}, id = 'run-1'): BuildView {
  const steps = createBuildSteps(id, createPhaseOf(), Date.parse('2026-11-20T12:00:00Z'))
  const add = (fields: Parameters<typeof entry>[0]): void =>
    steps.line(Buffer.from(JSON.stringify(entry({ workflow_run_id: id, ...fields }))))
  add({
    prompt_token_count: 123_456,
    completion_token_count: 7_890,
    context_file_hash: HASH_A,
    model: 'gemini-2.5-pro',
  })
  add({
    step_name: `verification ${HOSTILE}`,
    validation_status: 'fail',
    validation_error_type: 'ESLINT_ERROR_NO_UNSAFE_ASSIGNMENT_IN_A_VERY_LONG_RULE_NAME_64_CH',
    error_full: `\u001B[31msrc/a.ts\u001B[0m\n  1:1  error  ${HOSTILE}\n${'x'.repeat(3_000)}`,
  })
  return {
    ...summary({ runId: id, entries: 2, tokens: 131_346 }),
    nowMs: Date.parse('2026-11-20T12:00:00Z'),
    steps: steps.steps,
    found: steps.found(),
    files: [{ path: `/builds/${'long'.repeat(40)}/audit_trace.jsonl`, state: 'whole', tooLong: 0 }],
    ...over,
  }
}

const open = (view: BuildView, width = 1000, colorScheme: 'light' | 'dark' = 'light'): Promise<Opened> =>
  openServed(
    { status: manyOfEach, build: (runId) => Promise.resolve(runId === view.runId ? view : undefined) },
    `/build?run=${encodeURIComponent(view.runId)}`,
    { width, colorScheme },
  )

test.each(LOOKS)(
  'nothing of a build is cut off at $width pixels in $colorScheme, and axe-core finds nothing',
  async ({ width, colorScheme }) => {
    const { page } = await open(viewOf(), width, colorScheme)
    expect(await pageFaults(page)).toEqual([])
  },
)

test('the page of a build shows its steps, tokens, errors, outcome and file as text', async () => {
  const { page, said } = await open(viewOf({}, `run ${HOSTILE}`))
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe(`Build run ${HOSTILE}`)
  expect(await page.getByRole('row', { name: /^implement_v1/u }).innerText()).toContain(
    '123,456\t7,890\t131,346',
  )
  expect(await page.getByRole('table', { name: 'Where the steps were read' }).innerText()).toContain(
    'there, as it was read',
  )
  const log = await page.locator('pre').innerText()
  expect(log.split('\n').slice(0, 2)).toEqual(['src/a.ts', `  1:1  error  ${HOSTILE}`])
  expect(await page.getByText('the first 2,000 of').count()).toBe(1)
  expect(await page.locator('img').count()).toBe(0)
  expect(said).toEqual([])
})

test('the list leads to the build, and the build back to the list', async () => {
  const { page, url } = await open(viewOf({}, 'run & /?#1'))
  await page.goto(url)
  await page.getByRole('link', { name: 'run & /?#1' }).first().click()
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('Build run & /?#1')
  await page.getByRole('link', { name: 'All builds' }).click()
  expect(new URL(page.url()).pathname).toBe('/')
})

test('a build whose file is gone says how many steps cannot be shown, and why', () => {
  const page = renderBuild(
    viewOf({ steps: [], found: 0, files: [{ path: '/x', state: 'gone', tooLong: 0 }] }),
  )
  expect(page).toMatch(/2 of 2 steps that were counted\s+cannot be shown/u)
  expect(page).toContain('gone: no file is at this path any more')
})

test('a build that is not listed says what is listed', async () => {
  const { page, url } = await open(viewOf())
  const response = await page.goto(`${url}/build?run=nobody`)
  expect(response?.status()).toBe(404)
  expect(await page.getByText('Build nobody is not listed').count()).toBe(1)
  expect(await pageFaults(page)).toEqual([])
  expect(renderNoBuild('')).toContain('The address names no build')
})
