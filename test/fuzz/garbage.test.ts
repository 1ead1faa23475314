import { isUtf8 } from 'node:buffer'
import fs from 'node:fs'
import { expect, test } from 'vitest'
import { parseLine } from '../../src/entry/parse.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { garbage } from './garbage.ts'

const MIB = 1 << 20
const LINES = Number(process.env['FUZZ_LINES'] ?? 50_000)
const SEED = process.env['FUZZ_SEED'] ?? '1'
const BATCH = 10_000
const MAX_LINE_BYTES = 16 * MIB

/** What the lines are, by means of their own. */
interface Census {
  lines: number
  /** Lines of valid JSON. */
  jsonLines: number
  tooLong: number
  invalidUtf8: number
  invalidJson: number
  blank: number
  /** Whole entries on lines that are not valid JSON. */
  weldedEntries: number
  /** What stands between these entries and is valid JSON. */
  weldedOthers: number
}

function count(bytes: Buffer, census: Census): void {
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start)
    // A hole before a line is no part of it.
    while (bytes[start] === 0) start++
    const line = bytes.subarray(start, end)
    start = end + 1
    census.lines++
    if (line.length > MAX_LINE_BYTES) census.tooLong++
    else if (isUtf8(line) && BLANK.test(line.toString())) census.blank++
    else if (!isUtf8(line) || !isJson(line.toString())) countPieces(line, census)
    else census.jsonLines++
  }
}

const BLANK = /^[ \t\r]*$/u

/** Counts whole entries within a line by trying every pair of braces, and what stands between them. */
function countPieces(line: Buffer, census: Census): void {
  const entries = entriesWithin(line)
  census.weldedEntries += entries.length
  let end = 0
  for (const [from, to] of [...entries, [line.length, line.length] as const]) {
    const between = line.subarray(end, from)
    if (!isUtf8(between)) census.invalidUtf8++
    else if (!BLANK.test(between.toString())) {
      if (isJson(between.toString())) census.weldedOthers++
      else census.invalidJson++
    }
    end = to
  }
}

function entriesWithin(line: Buffer): (readonly [from: number, to: number])[] {
  const found: (readonly [number, number])[] = []
  for (let from = line.indexOf('{'); from !== -1;) {
    const to = endOfJson(line, from)
    if (
      to !== undefined &&
      isUtf8(line.subarray(from, to)) &&
      parseLine(line.toString('utf8', from, to)).ok
    ) {
      found.push([from, to])
    }
    from = line.indexOf('{', to ?? from + 1)
  }
  return found
}

function endOfJson(line: Buffer, from: number): number | undefined {
  for (let to = line.indexOf('}', from); to !== -1; to = line.indexOf('}', to + 1)) {
    if (isJson(line.toString('latin1', from, to + 1))) return to + 1
  }
  return undefined
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test(
  `${LINES} mutated lines: no crash, every byte accounted for, and a valid exposition`,
  { timeout: 120_000 + LINES },
  async () => {
    const random = createRandom(`garbage/${SEED}`)
    const census: Census = {
      lines: 0,
      jsonLines: 0,
      tooLong: 0,
      invalidUtf8: 0,
      invalidJson: 0,
      blank: 0,
      weldedEntries: 0,
      weldedOthers: 0,
    }
    // All contexts stay on the scrape, however old: every entry is to be found there.
    const world = await createEngineWorld({ flags: { maxLineBytes: '16MiB', contextIdle: '3650d' } })
    let written = 0
    let peak = 0
    const feed = async (bytes: Buffer): Promise<void> => {
      fs.appendFileSync(world.trace, bytes)
      written += bytes.length
      count(bytes, census)
      await world.read()
      peak = Math.max(peak, process.memoryUsage.rss())
    }
    const before = process.memoryUsage.rss()
    for (let left = LINES; left > 0; left -= BATCH) {
      await feed(garbage(random, Math.min(left, BATCH)))
      world.clock.advance(60_000)
      await world.scrape()
    }
    await feed(Buffer.concat([Buffer.alloc(64 * MIB, 'x'), Buffer.from('\n')]))
    await feed(Buffer.concat([Buffer.alloc(64 * MIB, '['), Buffer.from('\n')]))
    await feed(Buffer.from(`${'['.repeat(2 * MIB)}${']'.repeat(2 * MIB)}\n`))
    await feed(Buffer.from(`${'{"a":'.repeat(MIB)}1${'}'.repeat(MIB)}\n`))
    // A line that never ends is skipped as it comes.
    fs.appendFileSync(world.trace, Buffer.alloc(20 * MIB, 'y'))
    written += 20 * MIB
    await world.read()

    world.clock.advance(60_000)
    await world.scrape()
    world.clock.advance(60_000)
    const scraped = await world.scrape()
    const sum = (start: string): number =>
      [...scraped].filter(([key]) => key.startsWith(start)).reduce((all, [, value]) => all + value, 0)
    const rejected = (reason: string): number | undefined =>
      scraped.get(`audit_exporter_rejected_lines_total{reason="${reason}"}`)
    expect(sum('audit_exporter_read_bytes_total{')).toBe(written)
    expect(rejected('too_long')).toBe(census.tooLong + 1)
    expect(rejected('invalid_utf8')).toBe(census.invalidUtf8)
    expect(rejected('invalid_json')).toBe(census.invalidJson)
    const accepted = sum('audit_entries_total{') + (rejected('schema') ?? 0)
    const welded = census.weldedEntries + census.weldedOthers
    expect(accepted - welded).toBe(census.jsonLines)
    expect(scraped.get('audit_exporter_entry_warnings_total{reason="welded"}')).toBe(census.weldedEntries)
    expect(census.weldedEntries).toBeGreaterThan(LINES / 50)
    expect(sum('audit_entries_total{')).toBeGreaterThan(LINES / 20)

    await world.restart()
    const again = await world.scrape()
    expect(again.get('audit_exporter_read_bytes_total{result="counted"}')).toBe(
      scraped.get('audit_exporter_read_bytes_total{result="counted"}'),
    )
    // However many lines: what grows with them would pass this in the long run.
    expect(peak).toBeLessThan(1_500 * MIB)
    console.log(
      `${census.lines} lines, ${(written / MIB).toFixed(0)} MiB: ${sum('audit_entries_total{')} counted; ` +
        `resident ${(before / MIB).toFixed(0)} MiB before, ${(peak / MIB).toFixed(0)} MiB at most, writer and census included`,
    )
  },
)
