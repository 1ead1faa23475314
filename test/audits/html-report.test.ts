import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { closeChromium, openPage } from '../setup/chromium.ts'
import { LOOKS, pageFaults } from '../setup/page-faults.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { corpus, directoryOf, minute, reportText } from './report-setup.ts'

afterAll(closeChromium)

async function open(text: string, width: number, colorScheme: 'light' | 'dark' = 'light') {
  const file = path.join(temporaryDirectory(), 'report.html')
  writeFileSync(file, text)
  const page = await openPage({ viewport: { width, height: 900 }, colorScheme })
  const said: string[] = []
  const asked: string[] = []
  page.on('console', (message) => said.push(message.text()))
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(pathToFileURL(file).href)
  return { page, said, asked }
}

test('the HTML report is one file that requests nothing, with charts and accessible names', async () => {
  const html = await reportText(await corpus({ seed: 'html', size: { builds: 400 } }), { format: 'html' })
  const { page, said, asked } = await open(html, 1280)
  expect(said).toEqual([])
  expect(asked).toHaveLength(1)
  expect(await page.getByRole('heading', { level: 2 }).allInnerTexts()).toEqual([
    'Verdicts',
    'What to change',
    'Token efficiency',
    'Constraint effectiveness',
    'Prompt refinement',
    'Context volatility',
  ])
  expect(await page.locator('svg.chart').count()).toBe(5)
  expect(await page.locator('svg.chart:not([aria-label])').count()).toBe(0)
  expect(await page.getByRole('row', { name: /^implement_v1 implement/u }).count()).toBe(1)
  expect(html).not.toMatch(/NaN|Infinity|undefined/u)
})

test('the charts follow light and dark; nothing is cut off on any screen, and axe-core finds nothing', async () => {
  const html = await reportText(await corpus({ seed: 'html', size: { builds: 100 } }), { format: 'html' })
  for (const { width, colorScheme } of LOOKS) {
    const { page } = await open(html, width, colorScheme)
    expect(await pageFaults(page), `${width} pixels, ${colorScheme}`).toEqual([])
    expect(
      await page.evaluate("getComputedStyle(document.querySelector('svg.chart text[fill*=text]')).fill"),
    ).toBe(colorScheme === 'light' ? 'rgb(24, 32, 43)' : 'rgb(231, 236, 243)')
  }
})

test('the tokens of an insight are called a cost, and not coloured as a gain', async () => {
  const html = await reportText(await corpus({ seed: 'cost', size: { builds: 400 } }), { format: 'html' })
  const { page } = await open(html, 1280)
  const costs = page.locator('.insights .cost')
  expect(await costs.count()).toBeGreaterThan(0)
  expect(await costs.first().innerText()).toMatch(/^costs up to [\d,]+ tokens/u)
  const colour = await page.evaluate("getComputedStyle(document.querySelector('.insights .cost')).color")
  expect(colour).toBe('rgb(192, 53, 43)')
})

test('hostile names in the files are shown as text in every format', async () => {
  const directory = temporaryDirectory()
  const hostile = '<img src=x onerror=alert(1)> | **x** "\'&'
  const entry = (n: number) => ({
    workflow_run_id: `run ${hostile}`,
    step_name: `fix ${hostile}`,
    timestamp: `2026-11-01T00:0${n}:00Z`,
    validation_error_type: hostile,
    instruction_version: hostile,
    total_token_cost: 5 + n,
  })
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry(1), entry(2)))
  const { page } = await open(await reportText(directory, { format: 'html' }), 1280)
  expect(await page.locator('img').count()).toBe(0)
  expect(await page.getByRole('rowheader', { name: `fix ${hostile}`, exact: true }).count()).toBe(1)
  const markdown = await reportText(directory, { format: 'md' })
  expect(markdown).toContain('| \\<img src=x onerror=alert(1)\\> \\| \\*\\*x\\*\\*')
})

test('a report without data says so', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), '')
  const { page } = await open(await reportText(directory, { format: 'html' }), 1280)
  expect(await page.getByText('No finding and no notable cost').count()).toBe(1)
  expect(await page.content()).not.toMatch(/NaN|Infinity|undefined/u)
})

test('the chart shows the prompt versions used most, and its title says of how many', async () => {
  const entries = Array.from({ length: 25 }, (_, i) =>
    Array.from({ length: 40 - i }, (_, n) => [
      entry({
        workflow_run_id: `${i}-${n}`,
        timestamp: minute(i * 100 + n),
        completion_token_count: 100,
        instruction_version: `w${String(i).padStart(2, '0')}`,
        context_file_hash: String.fromCodePoint(97 + (i % 6)).repeat(64),
      }),
      entry({
        workflow_run_id: `${i}-${n}`,
        step_name: 'verify',
        timestamp: minute(i * 100 + n + 0.5),
        ...(n % 3 === 0
          ? { validation_status: 'fail', validation_error_type: 'TSC_ERROR' }
          : { validation_status: 'pass' }),
      }),
    ]).flat(),
  ).flat()
  entries.push(
    entry({
      workflow_run_id: '0-0',
      step_name: 'fix_1',
      timestamp: minute(0.7),
      total_token_cost: 1_234,
    }),
  )
  const { page } = await open(await reportText(directoryOf(entries), { format: 'html' }), 1280)
  const drawn = page.getByRole('figure').filter({ hasText: 'First-pass rate by version' })
  expect(await drawn.locator('figcaption').innerText()).toContain('(12 of 25)')
  const labels = await drawn.locator('svg text').allTextContents()
  expect(labels.filter((label) => label.startsWith('w'))).toEqual(
    Array.from({ length: 12 }, (_, i) => `w${String(i).padStart(2, '0')}`),
  )
  expect(await page.getByText('Implement steps by prompt version (20 of 25)').count()).toBe(1)
  const audits = page.getByRole('table')
  expect(await audits.getByText('1,234 (one value)').count()).toBe(1)
  expect(
    await audits
      .filter({ hasText: 'First seen' })
      .getByText(/TSC_ERROR 3\d\.\d %/u)
      .count(),
  ).toBeGreaterThan(0)
  const days = audits.filter({ hasText: 'Days with changes of GEMINI.md (UTC)' })
  expect(await days.getByRole('row', { name: /^2026-09-01/u }).count()).toBe(1)
})

test('every format lists what was not read', async () => {
  const directory = directoryOf([entry({ timestamp: minute(0) })])
  const file = path.join(directory, 'audit_trace.jsonl')
  appendFileSync(file, '{"workflow')
  writeFileSync(`${file}.1`, '')
  const told =
    'Left out: 1 last line without a newline (10 bytes). Not read: 1 rotated file beside the traces.'
  expect(await reportText(directory, { format: 'html' })).toContain(told)
  expect(await reportText(directory, { format: 'md' })).toContain(told)
  expect(JSON.parse(await reportText(directory, { format: 'json' }))).toMatchObject({
    input: { unfinished_lines: 1, unfinished_bytes: 10, rotated_files: 1 },
  })
})
