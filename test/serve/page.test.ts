import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { createPageDrawing } from '../../src/commands/watch-drawing.ts'
import { renderPage } from '../../src/serve/page.ts'
import type { StatusView } from '../../src/serve/status.ts'
import { closeChromium } from '../setup/chromium.ts'
import { LOOKS, pageFaults } from '../setup/page-faults.ts'
import { type Opened, openServed } from './open-page.ts'
import { busyStatus, emptyStatus, file, manyOfEach, NO_BUILDS, summary } from './status-fixture.ts'

afterAll(closeChromium)

/** The page in a browser. */
const open = (
  status: () => StatusView,
  width = 1280,
  colorScheme: 'light' | 'dark' = 'light',
): Promise<Opened> => openServed({ status, draw: createPageDrawing(NO_BUILDS) }, '/', { width, colorScheme })

const tile = async (page: Page, name: string): Promise<string | null> =>
  page
    .locator('dl > div', { has: page.getByText(name, { exact: true }) })
    .locator('.figure')
    .textContent()

test('the page shows the builds, their rates and their costs', async () => {
  const { page, said } = await open(() => busyStatus())
  expect(await tile(page, 'First-pass rate')).toBe('54.5 %')
  // (6.3 + 9.1 + 5.4 + 0.6 million) / (420 + 260): what failures burnt belongs to the price of success.
  expect(await tile(page, 'Tokens per successful build')).toBe('31,471')
  expect(await tile(page, 'Rework cost factor')).toBe('1.52')
  const builds = page.getByRole('region', { name: 'Builds by outcome' }).getByRole('table')
  expect(await builds.getByRole('row', { name: /^After rework/u }).allInnerTexts()).toEqual([
    'After rework\t260\t32.5 %\t9,100,000\t35,000',
  ])
  expect(said).toEqual([])
})

test('the page shows the four audits from the running totals, with charts', async () => {
  const { page, said } = await open(() => busyStatus())
  expect(await page.locator('svg.chart').count()).toBe(5)
  expect(await page.locator('svg.chart:not([aria-label])').count()).toBe(0)
  const row = (name: string) => page.getByRole('row', { name }).first().innerText()
  expect(await row('TSC_ERROR 420')).toBe('TSC_ERROR\t420\t4,100,000\t9,762')
  // 200 of 300 builds; 6.4 million tokens over 280 successes.
  expect(await row('v2 9f86d081884c 300')).toBe('v2 9f86d081884c\t300\t66.7 %\t22,857')
  expect(await row('fix-1')).toBe('fix-1\t300\t12,100\t1.52')
  // 90 failures of 500 builds, 60 of 300.
  expect(await row('TSC_ERROR 18.0')).toBe('TSC_ERROR\t18.0\t20.0')
  // A chart in the colours of the page: the security policy lets it have them.
  expect(
    await page.evaluate("getComputedStyle(document.querySelector('svg.chart text[fill*=text]')).fill"),
  ).toBe('rgb(24, 32, 43)')
  expect(said).toEqual([])
})

test('the page says one sentence for each audit, with a verdict or what is lacking', async () => {
  const { page } = await open(() => busyStatus())
  const verdicts = page.getByRole('region', { name: 'Verdicts' })
  expect(await verdicts.getByRole('term').allInnerTexts()).toEqual([
    'Token efficiency',
    'Constraint effectiveness',
    'Prompt refinement',
    'Context volatility',
  ])
  expect(await verdicts.locator('.verdict').allInnerTexts()).toEqual(Array(4).fill('Nothing to compare'))
  expect(await verdicts.innerText()).toContain('Fewer than two revisions of GEMINI.md are known')
})

test('a frequency over fewer than 20 builds is withheld', () => {
  const { audits } = busyStatus()
  const revisions = audits.revisions.map((revision, i) => ({ ...revision, builds: i === 0 ? 500 : 19 }))
  const page = renderPage(busyStatus({ audits: { ...audits, revisions } }))
  expect(page).toMatch(/TSC_ERROR<\/th\s*>\s*<td[^>]*>18\.0<\/td\s*>\s*<td[^>]*>n &lt; 20<\/td/u)
})

test('every part of the page has an accessible name', async () => {
  const { page } = await open(() => busyStatus())
  expect(await page.getByRole('heading', { level: 1 }).allInnerTexts()).toEqual(['audit-trace-exporter'])
  const titles = [
    'Verdicts',
    'Token efficiency',
    'Constraint effectiveness',
    'Prompt refinement',
    'Context volatility',
    'Single builds',
    'Builds by outcome',
    'Error types',
    'Most expensive steps',
    'Contexts',
    'Odd lines',
    'Files',
  ]
  expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual(titles)
  expect(await page.getByRole('main').count()).toBe(1)
  expect(await page.getByRole('navigation', { name: 'Endpoints' }).getByRole('link').allInnerTexts()).toEqual(
    ['/metrics', '/readyz', '/healthz'],
  )
  expect(await page.locator('table:not(:has(caption))').count()).toBe(0)
  expect(await page.locator('th:not([scope])').count()).toBe(0)
  await page.keyboard.press('Tab')
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the figures')
})

test.each(LOOKS)(
  'nothing is cut off at $width pixels in $colorScheme, and axe-core finds nothing',
  async ({ width, colorScheme }) => {
    const { page } = await open(() => manyOfEach(), width, colorScheme)
    expect(await pageFaults(page)).toEqual([])
  },
)

test('an exporter without data has a page that fits a phone, too', async () => {
  const { page } = await open(() => emptyStatus(), 400)
  expect(await pageFaults(page)).toEqual([])
})

test('the page updates itself and keeps the focus', async () => {
  let entries = 1
  const { page, said } = await open(() => busyStatus({ entries }))
  await page.getByRole('link', { name: '/readyz' }).focus()
  entries = 2
  await expect.poll(() => tile(page, 'Entries')).toBe('2')
  expect(await page.evaluate('document.activeElement.textContent')).toBe('/readyz')
  expect(said).toEqual([])
})

test('a link in a part that changes keeps the focus', async () => {
  let tokens = 1
  const { page } = await open(() =>
    busyStatus({ recent: { kept: 1, last: [summary({ tokens })], dearest: [] } }),
  )
  const card = page.locator('#single-builds')
  await card.getByRole('link').focus()
  tokens = 2_345
  await expect.poll(() => card.innerText()).toContain('2,345')
  expect(await page.evaluate('document.activeElement.textContent')).toBe(summary().runId)
})

test('the page says so when the exporter no longer answers', async () => {
  const { page, server } = await open(() => busyStatus())
  await server.close()
  const stale = page.getByRole('status')
  await expect.poll(() => stale.textContent()).toContain('no longer up to date')
})

test('hostile names are shown as text', async () => {
  const hostile = `/x/<img src=x onerror="alert(1)"></script><script>alert(2)</script>&amp;'"\u202Egpj`
  const { page, said } = await open(() =>
    busyStatus({
      files: [file({ path: hostile, error: hostile })],
      steps: [{ step: hostile, phase: hostile, entries: 1, tokens: 1 }],
      errorTypes: [{ errorType: hostile, entries: 1, reworkTokens: 1 }],
      rejectedLines: { [hostile]: 1 },
      roots: [{ path: hostile, state: 'waiting' }],
      ready: false,
      notReadyReason: hostile,
    }),
  )
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.locator('#files .path').textContent()).toBe(hostile.replace('\u202E', '\uFFFD'))
  expect(said).toEqual([])
})

test('an exporter without data says so and divides nothing by zero', () => {
  const page = renderPage(emptyStatus())
  expect(page.match(/<dd class="figure none">no data yet<\/dd>/gu)).toHaveLength(3)
  expect(page).not.toMatch(/NaN|Infinity|undefined/u)
})

test('an exporter that is not ready says why', () => {
  const page = renderPage(
    emptyStatus({ ready: false, notReadyReason: 'the first pass', stateDurable: false }),
  )
  expect(page).toContain('<title>Not ready: audit-trace-exporter</title>')
  expect(page).toContain('the first pass')
  expect(page).toContain('The state cannot be written')
})

test('of many files the most interesting 50 are shown, and the rest is counted', () => {
  const many = Array.from({ length: 1_000 }, (_, i) => file({ path: `/many/${i}`, lastReadAtMs: i }))
  many[3] = file({ path: '/failing', state: 'failing' })
  many[4] = file({ path: '/pending', pendingBytes: 5, countedBytes: 995 })
  many[5] = file({ path: '/lagging', lagBytes: 5, countedBytes: 994 })
  const page = renderPage(emptyStatus({ files: many }))
  const paths = [...page.matchAll(/<span class="path">(.*?)<\/span>/gu)].map(([, path]) => path)
  expect(paths.slice(0, 4)).toEqual(['/failing', '/lagging', '/pending', '/many/999'])
  expect(paths).toHaveLength(50)
  expect(page).toContain('and 950 more')
  expect(page).toContain('out of balance by 1 byte')
})
