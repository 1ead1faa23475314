import { cpSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { SCHEMA_VERSION } from '../../src/state/schema.ts'
import { openStore } from '../../src/state/store.ts'
import { createManualClock, NOON, startExporter, temporaryDirectory } from '../setup/exporter.ts'
import { parseExposition, seriesKey } from '../setup/exposition.ts'

/**
 * One folder for each version of the state that was ever released: `state.sqlite` as that version wrote it, and the
 * scrapes that it then showed, before and after the hold of its newest series, with its traces gone. Version 1 was
 * written by the first release from some twenty entries: builds of all outcomes, open ones, late entries, a hidden
 * context, values past the limits, series that wait at zero, a rotated file, hostile names.
 */
const FIXTURES = path.join(import.meta.dirname, 'fixtures')
const versions = readdirSync(FIXTURES).sort()

/** When the fixtures were written, and the limits that they were written with. */
const WRITTEN = NOON + 1_290_000
const FLAGS = { maxContextHashes: '2', maxSteps: '9', maxErrorTypes: '4', contextIdle: '10m' }

function copyOf(version: string): string {
  const state = path.join(temporaryDirectory(), 'state')
  mkdirSync(state)
  cpSync(path.join(FIXTURES, version, 'state.sqlite'), path.join(state, 'state.sqlite'))
  return state
}

async function open(version: string) {
  const root = path.join(temporaryDirectory(), 'builds')
  mkdirSync(root)
  const clock = createManualClock(WRITTEN)
  const exporter = await startExporter({ roots: [root], state: copyOf(version), clock, flags: FLAGS })
  return { root, clock, exporter }
}

/** What that version showed of the audits and of the exporter's exact counters. */
const shown = (version: string, file: string): Map<string, number> =>
  new Map(
    [...parseExposition(readFileSync(path.join(FIXTURES, version, file), 'utf8'))].filter(
      ([key]) => !/^(process_|nodejs_|audit_exporter_(commit|state_bytes|build_info|files|series))/.test(key),
    ),
  )

describe.each(versions)('a state of version %s', (version) => {
  test('shows every sample as that version did, before and after the hold of new series', async () => {
    const { clock, exporter } = await open(version)
    for (const file of ['scrape.prom', 'scrape-after-hold.prom']) {
      const now = await exporter.scrape()
      for (const [key, value] of shown(version, file)) expect([key, now.get(key)]).toEqual([key, value])
      clock.advance(30_000)
    }
  })

  test('shows nothing else about builds, costs and revisions than that version did', async () => {
    const { exporter } = await open(version)
    const about = (samples: Iterable<string>): string[] =>
      [...samples]
        .filter((key) => /^audit_(builds|build_tokens|cost_usd|context_info|model)/.test(key))
        .sort()
    const now = await exporter.scrape()
    expect(about(now.keys())).toEqual(about(shown(version, 'scrape.prom').keys()))
    expect([...now.keys()].filter((key) => key.includes('project'))).toEqual([])
  })

  test('goes on with its open builds and its late entries', async () => {
    const { exporter, clock } = await open(version)
    clock.advance(4 * 3_600_000)
    await exporter.round()
    await exporter.scrape()
    clock.advance(30_000)
    const scraped = await exporter.scrape()
    const builds = (outcome: string, hash: string): number | undefined =>
      scraped.get(seriesKey('audit_builds_total', { outcome, context_hash: hash }))
    expect(builds('failed', 'bbbbbbbbbbbb')).toBe(1)
    expect(builds('abandoned', 'bbbbbbbbbbbb')).toBe(1)
    expect(scraped.get('audit_builds_in_progress')).toBe(0)
  })

  test('has sums over all that it holds, of hidden revisions too', () => {
    const store = openStore(copyOf(version), WRITTEN)
    const of = (metric: string) =>
      store.all('SELECT sum(json(data)) AS total FROM series WHERE metric = ?', metric)[0]!['total']
    for (const name of ['entries', 'tokens', 'builds', 'build_tokens', 'rework_completion_tokens']) {
      expect(of(`audit.${name}`)).toBeGreaterThan(0)
      expect([name, of(`audit.overall_${name}`)]).toEqual([name, of(`audit.${name}`)])
    }
    expect(of('audit.context_entries')).toBe(of('audit.entries'))
    store.close()
  })

  test('is of the current version once it is open', () => {
    const state = copyOf(version)
    openStore(state).close()
    const database = new DatabaseSync(path.join(state, 'state.sqlite'))
    expect(database.prepare('PRAGMA user_version').get()).toEqual({ user_version: SCHEMA_VERSION })
    database.close()
  })
})

test.each([
  ['a build', "UPDATE builds SET state = '[1,2]' WHERE run_id = 'open'", 'build open'],
  ['an outcome', `UPDATE builds SET state = '[null,"",null,1,7]' WHERE run_id = 'rework'`, 'outcome 7'],
  [
    'the labels of a series',
    `UPDATE series SET labels = '["x"]' WHERE metric = 'audit.builds' AND labels LIKE '%failed%'`,
    'audit.builds',
  ],
  [
    'the buckets of a histogram',
    `UPDATE series SET data = '[1,2]' WHERE metric = 'audit.files_touched'`,
    'audit.files_touched',
  ],
])('%s of another form is refused, and nothing is changed', (_, damage, named) => {
  const state = copyOf('v1')
  const database = new DatabaseSync(path.join(state, 'state.sqlite'))
  database.exec(damage)
  const before = database.prepare('SELECT * FROM builds').all()
  database.close()
  expect(() => openStore(state)).toThrow(named)
  const after = new DatabaseSync(path.join(state, 'state.sqlite'))
  expect(after.prepare('PRAGMA user_version').get()).toEqual({ user_version: 1 })
  expect(after.prepare('SELECT * FROM builds').all()).toEqual(before)
  after.close()
})

test('a series of a version without births is born when it is migrated', () => {
  const store = openStore(copyOf('v1'), NOON)
  expect(store.all('SELECT DISTINCT born_ms FROM series')).toEqual([{ born_ms: NOON }])
  store.close()
})

test('a migrated state gets an instance ID of its own, and keeps it', () => {
  const [one, other] = [copyOf('v1'), copyOf('v1')]
  const idOf = (state: string): string => {
    const store = openStore(state)
    store.close()
    return store.origin.instanceId
  }
  expect(idOf(one)).toMatch(/^[0-9a-f-]{36}$/)
  expect(idOf(one)).toBe(idOf(one))
  expect(idOf(other)).not.toBe(idOf(one))
})

test('a new state has the tables of a migrated one', () => {
  const tables = (state: string): unknown[] => {
    openStore(state).close()
    const database = new DatabaseSync(path.join(state, 'state.sqlite'))
    const found = database
      .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")
      .all()
    const columns = found.map(({ name }) => [
      name,
      database.prepare(`PRAGMA table_info(${String(name)})`).all(),
    ])
    database.close()
    return columns
  }
  expect(tables(copyOf('v1'))).toEqual(tables(path.join(temporaryDirectory(), 'new')))
})

test('a build of version 1 with an entry dated in the future is idle from the migration on', () => {
  const state = copyOf('v1')
  const future = Date.parse('2099-01-01T00:00:00Z')
  const database = new DatabaseSync(path.join(state, 'state.sqlite'))
  database.exec(`UPDATE builds SET state = '[null,"",null,${future},0,0,5,0,0,[]]' WHERE run_id = 'open';
    UPDATE meta SET value = '${future}' WHERE key = 'last_entry_ms'`)
  database.close()
  const store = openStore(state, WRITTEN)
  expect(store.all("SELECT idle_since_ms FROM builds WHERE run_id = 'open'")).toEqual([
    { idle_since_ms: WRITTEN },
  ])
  expect(store.all("SELECT value FROM meta WHERE key = 'last_entry_ms'")).toEqual([
    { value: String(WRITTEN) },
  ])
  store.close()
})
