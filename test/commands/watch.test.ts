import { appendFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import pino from 'pino'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { watch, type WatchDeps } from '../../src/commands/watch.ts'
import { parseWatchConfig } from '../../src/commands/watch-flags.ts'
import { createLogger } from '../../src/log.ts'
import { openStore } from '../../src/state/store.ts'
import { nodeFileSystem, type FileSystem } from '../../src/tail/file-system.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { parseExposition } from '../setup/exposition.ts'

const usage = { cpuSeconds: () => 0, residentBytes: () => 0, heapUsedBytes: () => 0, startedSeconds: 0 }

/** Everything that is counted stands in the state: how many bytes were. */
function committedBytes(state: string): number {
  const store = openStore(state)
  const [row] = store.all('SELECT sum(counted) AS counted FROM files')
  store.close()
  return Number(row?.['counted'])
}

test('a file system that hangs does not prevent shutdown, and everything that was read is committed', async () => {
  const directory = temporaryDirectory()
  const state = path.join(directory, 'state')
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry()))
  let asked = false
  const end = new AbortController()
  /** Whoever asks after the first pass waits for ever, and so is stopped. */
  const never = <T>(): Promise<T> => {
    asked = true
    end.abort()
    return new Promise<T>(() => undefined)
  }
  let caughtUp = false
  const fs: FileSystem = {
    ...nodeFileSystem,
    statAll: undefined,
    stat: (at) => (caughtUp ? never() : nodeFileSystem.stat(at)),
    list: (at) => (caughtUp ? never() : nodeFileSystem.list(at)),
  }
  const deps: WatchDeps = {
    log: createLogger({ fd: 2, pretty: false }).child({}, { level: 'silent' }),
    clock: systemClock,
    usage,
    version: 'test',
    signal: end.signal,
    fs,
    onReady: () => (caughtUp = true),
  }
  await watch(
    parseWatchConfig({ roots: [directory], state, listen: '127.0.0.1:0', scanInterval: '10ms', poll: true }),
    deps,
  )
  expect(asked).toBe(true)
  expect(committedBytes(state)).toBe(lines(entry()).length)
})

test('commits, failed file operations and unread bytes are on the scrape', async () => {
  const directory = temporaryDirectory()
  const state = path.join(directory, 'state')
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry()))
  const end = new AbortController()
  const fs: FileSystem = {
    ...nodeFileSystem,
    open: () => Promise.reject(Object.assign(new Error('injected: EACCES'), { code: 'EACCES' })),
  }
  let url = ''
  const ready = Promise.withResolvers<void>()
  const running = watch(parseWatchConfig({ roots: [directory], state, listen: '127.0.0.1:0', poll: true }), {
    log: createLogger({ fd: 2, pretty: false }).child({}, { level: 'silent' }),
    clock: systemClock,
    usage,
    version: 'test',
    signal: end.signal,
    fs,
    onListening: (at) => (url = at),
    onReady: () => ready.resolve(),
  })
  await ready.promise
  const scraped = parseExposition(await (await fetch(`${url}/metrics`)).text())
  end.abort()
  await running
  expect(scraped.get('audit_exporter_commits_total')).toBeGreaterThan(0)
  expect(scraped.get('audit_exporter_commit_duration_seconds_count')).toBeGreaterThan(0)
  expect(scraped.get('audit_exporter_file_errors_total{op="open"}')).toBeGreaterThan(0)
  expect(scraped.get('audit_exporter_lag_bytes')).toBe(lines(entry()).length)
})

test('a scrape shows what was appended right before it', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  writeFileSync(file, lines(entry()))
  const end = new AbortController()
  let url = ''
  const ready = Promise.withResolvers<void>()
  const running = watch(
    parseWatchConfig({ roots: [directory], state: path.join(directory, 'state'), listen: '127.0.0.1:0' }),
    {
      log: createLogger({ fd: 2, pretty: false }).child({}, { level: 'silent' }),
      clock: systemClock,
      usage,
      version: 'test',
      signal: end.signal,
      onListening: (at) => (url = at),
      onReady: () => ready.resolve(),
    },
  )
  await ready.promise
  const shown: number[] = []
  const appended = Array.from({ length: 20 }, (_, i) => 2 + i)
  for (const _ of appended) {
    appendFileSync(file, lines(entry()))
    const scraped = parseExposition(await (await fetch(`${url}/metrics`)).text())
    shown.push(scraped.get('audit_phase_entries_total{phase="implement",status="N/A"}') ?? 0)
  }
  end.abort()
  await running
  // On a machine that is too busy to read one within some milliseconds, a scrape does not wait for it.
  const atOnce = appended.filter((entries, i) => shown[i] === entries)
  expect(atOnce.length).toBeGreaterThan(appended.length / 2)
})

test('warnings that were suppressed before the end are summarised in the log', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), '{}\n'.repeat(9))
  const end = new AbortController()
  const logged: { event: string; lines?: number }[] = []
  const log = pino({}, { write: (line: string) => void logged.push(JSON.parse(line) as (typeof logged)[0]) })
  await watch(
    parseWatchConfig({
      roots: [directory],
      state: path.join(directory, 'state'),
      listen: '127.0.0.1:0',
      poll: true,
    }),
    { log, clock: systemClock, usage, version: 'test', signal: end.signal, onReady: () => end.abort() },
  )
  const summaries = logged.filter(
    ({ event, lines: count }) => event === 'lines_suppressed' && count !== undefined,
  )
  expect(summaries).toMatchObject([{ lines: 4 }])
})
