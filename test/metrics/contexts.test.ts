import { expect, test } from 'vitest'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'
import { NOON } from '../setup/exporter.ts'
import { entriesKey as entries, HOLD_MS, settle } from '../setup/series.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const hash = (digit: string): string => digit.repeat(64)
const at = (hours: number): string => new Date(NOON + hours * HOUR_MS).toISOString()

/** The versions on a scrape, by the first digit of the hash. */
async function versions(world: EngineWorld): Promise<Record<string, string>> {
  const infos = [...(await world.scrape())].flatMap(([key]) => {
    const found = /^audit_context_info\{.*context_hash="(\w).*version="(\w+)"/.exec(key)
    return found === null ? [] : [[found[1], found[2]] as const]
  })
  return Object.fromEntries(infos) as Record<string, string>
}

test('what a first pass finds is numbered by entry time, in whatever order it is read', async () => {
  const world = await createEngineWorld({
    before: [
      { context_file_hash: hash('a'), timestamp: at(-1) },
      { context_file_hash: hash('b'), timestamp: at(-3) },
      { context_file_hash: hash('c'), timestamp: at(-2) },
      // An earlier use that is read later counts too.
      { context_file_hash: hash('c'), timestamp: at(-4) },
    ],
  })
  expect(await versions(world)).toEqual({ c: 'v1', b: 'v2', a: 'v3' })
})

test('after the first pass a revision is numbered when it is first read, and keeps its number over a restart', async () => {
  const world = await createEngineWorld({ before: [{ context_file_hash: hash('a'), timestamp: at(-1) }] })
  world.append({ context_file_hash: hash('b'), timestamp: at(0) })
  world.append({ context_file_hash: hash('c'), timestamp: at(-9) })
  await world.read()
  const before = await versions(world)
  expect(before).toEqual({ a: 'v1', b: 'v2', c: 'v3' })
  await world.restart()
  expect(await versions(world)).toEqual(before)
})

test('what appears while the exporter is down is numbered by entry time, after what was known', async () => {
  const world = await createEngineWorld({ before: [{ context_file_hash: hash('a'), timestamp: at(-1) }] })
  await world.restart(() => {
    world.append({ context_file_hash: hash('b'), timestamp: at(-2) })
    world.append({ context_file_hash: hash('c'), timestamp: at(-3) })
  })
  expect(await versions(world)).toEqual({ a: 'v1', c: 'v2', b: 'v3' })
})

test('the first use of a revision is the time of its earliest entry', async () => {
  const world = await createEngineWorld({
    before: [
      { context_file_hash: hash('a'), timestamp: at(-1) },
      { context_file_hash: hash('a'), timestamp: at(-5) },
    ],
  })
  expect(
    await world.peek('audit_context_first_seen_timestamp_seconds', { context_hash: 'a'.repeat(12) }),
  ).toBe((NOON - 5 * HOUR_MS) / 1000)
})

/** What `increase()` of Prometheus would add up: the steps up between neighbouring samples. */
function increase(samples: readonly (number | undefined)[]): number {
  const seen = samples.filter((sample) => sample !== undefined)
  return seen.reduce((sum, value, i) => {
    const before = seen[i - 1] ?? value
    return sum + (value >= before ? value - before : value)
  }, 0)
}

test('a context past the cap counts as _other as long as none of the others is idle', async () => {
  const world = await createEngineWorld({ flags: { maxContextHashes: '2' } })
  for (const digit of ['a', 'b', 'c', 'd']) world.append({ context_file_hash: hash(digit) })
  await world.read()
  const scraped = await settle(world)
  expect(scraped.get(entries('_other'))).toBe(2)
  expect(scraped.get('audit_exporter_label_overflow_total{label="context_hash"}')).toBe(2)
  expect([...scraped.keys()].filter((key) => key.startsWith('audit_context_info'))).toHaveLength(2)
})

test('an idle context leaves the scrape for a new one and comes back with nothing lost or counted twice', async () => {
  const world = await createEngineWorld({ flags: { maxContextHashes: '2' } })
  const samples: (number | undefined)[] = []
  const look = async (): Promise<void> => {
    samples.push((await world.scrape()).get(entries(hash('a'))))
  }
  world.append({ context_file_hash: hash('a') }, { context_file_hash: hash('b') })
  await world.read()
  await look()
  world.clock.advance(HOLD_MS)
  await look()
  world.clock.advance(31 * DAY_MS)
  await world.restart()
  world.append({ workflow_run_id: 'r2', context_file_hash: hash('b') })
  world.append({ workflow_run_id: 'r3', context_file_hash: hash('c') })
  await world.read()
  await look()
  expect(samples.at(-1)).toBeUndefined()

  await world.restart()
  await look()
  expect(samples.at(-1)).toBeUndefined()
  // The other two go idle in turn; the first comes back, over two restarts.
  world.clock.advance(31 * DAY_MS)
  world.append({ workflow_run_id: 'r4', context_file_hash: hash('a') }, { workflow_run_id: 'r4' })
  await world.read()
  await world.restart()
  await look()
  expect(samples.at(-1)).toBe(1)
  world.clock.advance(HOLD_MS - 1)
  await look()
  expect(samples.at(-1)).toBe(1)
  await world.restart()
  await look()
  world.clock.advance(HOLD_MS)
  await look()
  expect(samples.at(-1)).toBe(3)
  // One before the scrape ever saw it at one, two after its return.
  expect(increase(samples)).toBe(3)
  const scraped = await world.scrape()
  const all = [...scraped].filter(([key]) => key.startsWith('audit_entries_total'))
  // Whichever context had to leave, its total is kept, and no other series took it over.
  expect(all.reduce((sum, [, value]) => sum + value, 0)).toBe(
    6 - (scraped.has(entries(hash('b'))) ? 0 : 2) - (scraped.has(entries(hash('c'))) ? 0 : 1),
  )
})

test('a context that leaves and returns within the very first pass belongs to the baseline whole', async () => {
  const daysAgo = (days: number): string => at(-24 * days)
  const world = await createEngineWorld({
    flags: { maxContextHashes: '1' },
    before: [
      { context_file_hash: hash('a'), timestamp: daysAgo(200), workflow_run_id: '1' },
      { context_file_hash: hash('b'), timestamp: daysAgo(150), workflow_run_id: '2' },
      { context_file_hash: hash('a'), timestamp: daysAgo(100), workflow_run_id: '3' },
    ],
  })
  expect((await world.scrape()).get(entries(hash('a')))).toBe(2)
})
