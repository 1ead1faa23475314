import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startExporter, temporaryDirectory } from '../setup/exporter.ts'

/**
 * Each case is a file of lines and the whole scrape that it must give.
 * After a wanted change: `npx vitest run test/golden --update`, then read the difference.
 */
const CASES = path.join(import.meta.dirname, 'cases')
const names = readdirSync(CASES)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => path.basename(name, '.jsonl'))

/** A scrape without what differs from run to run. */
const exactPart = (text: string): string =>
  text
    .split('\n')
    .filter((line) => !/^(# \w+ )?(process_|nodejs_|audit_exporter_(commit|state_bytes|build_info))/.test(line))
    .join('\n')

test.each(names)('%s', async (name) => {
  const roots = [path.join(CASES, `${name}.jsonl`)]
  const state = path.join(temporaryDirectory(), 'state')
  mkdirSync(state)
  const exporter = await startExporter({ roots, state })
  expect(readFileSync(roots[0] ?? '', 'utf8')).not.toBe('')
  await expect(exactPart(await exporter.scrapeText())).toMatchFileSnapshot(path.join(CASES, `${name}.prom`))
})
