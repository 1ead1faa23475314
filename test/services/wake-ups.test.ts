import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon, type Daemon } from '../setup/daemon.ts'
import { entry, lines } from '../setup/entries.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { until } from '../setup/process.ts'

/** Waits until so many bytes of whole lines have been counted. */
async function counted(daemon: Daemon, bytes: number): Promise<void> {
  await until(
    `${bytes} bytes are counted`,
    async () => {
      const samples = await daemon.scrape()
      return samples.get('audit_exporter_read_bytes_total{result="counted"}') === bytes || undefined
    },
    { detail: daemon.output },
  )
}

const LINE = lines(entry())

async function watchEmptyRoot(...args: string[]) {
  const directory = temporaryDirectory()
  const root = path.join(directory, 'builds')
  mkdirSync(root)
  const daemon = await startDaemon({ roots: [root], state: path.join(directory, 'state'), args })
  await daemon.ready()
  return { daemon, root }
}

test('a new file and what is appended to it are read at once: events tell of them, no scan is due for an hour', async () => {
  const { daemon, root } = await watchEmptyRoot('--scan-interval', '1h')
  // The watcher starts after the first pass, and says nothing when it is ready: a file that came before is found too.
  const trace = path.join(root, 'build-1', 'audit_trace.jsonl')
  mkdirSync(path.dirname(trace))
  await until('the new directory is watched', () => {
    appendFileSync(trace, LINE)
    return daemon
      .scrape()
      .then(
        (samples) => (samples.get('audit_exporter_read_bytes_total{result="counted"}') ?? 0) > 0 || undefined,
      )
  })
  const sofar = Number((await daemon.scrape()).get('audit_exporter_read_bytes_total{result="counted"}'))
  appendFileSync(trace, LINE)
  await until('what is appended is counted', async () => {
    const samples = await daemon.scrape()
    return Number(samples.get('audit_exporter_read_bytes_total{result="counted"}')) > sofar || undefined
  })
})

test('with --poll no event is needed: the scan finds what is new', async () => {
  const { daemon, root } = await watchEmptyRoot('--poll')
  const trace = path.join(root, 'deep', 'build-1', 'audit_trace.jsonl')
  mkdirSync(path.dirname(trace), { recursive: true })
  writeFileSync(trace, LINE)
  await counted(daemon, LINE.length)
  appendFileSync(trace, LINE + LINE.slice(0, 9))
  await counted(daemon, 2 * LINE.length)
  expect((await daemon.scrape()).get('audit_exporter_pending_bytes')).toBe(9)
})

test('a file in a directory that is quiet for long is found by the scan', async () => {
  const { daemon, root } = await watchEmptyRoot('--scan-interval', '1s')
  const trace = path.join(root, 'a', 'b', 'c', 'audit_trace.jsonl')
  mkdirSync(path.dirname(trace), { recursive: true })
  writeFileSync(trace, LINE)
  await counted(daemon, LINE.length)
})
