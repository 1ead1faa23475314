import { createServer } from 'node:http'
import { once } from 'node:events'
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import type { z } from 'zod'
import type { watchDeclaration } from '../src/commands/watch-flags.ts'
import type { Log } from '../src/log.ts'
import { startExporter, type ExporterOptions } from '../src/start-exporter.ts'
import { entry, lines } from './setup/entries.ts'
import { temporaryDirectory } from './setup/exporter.ts'
import { parseExposition } from './setup/exposition.ts'

type Flags = z.input<(typeof watchDeclaration)['flags']>
type OptionsOfFlags = Omit<ExporterOptions, 'paths' | 'log' | 'env'>
type IsNever<T> = [T] extends [never] ? true : false
/** Compiles only if every flag of `watch` is an option, and no other. */
export const everyFlag: IsNever<Exclude<keyof Flags, keyof OptionsOfFlags | 'roots'>> = true
export const noOther: IsNever<Exclude<keyof OptionsOfFlags, keyof Flags>> = true

interface Logged {
  readonly level: string
  readonly fields: object
}

function recorder(): { log: Log; logged: Logged[] } {
  const logged: Logged[] = []
  const at =
    (level: string) =>
    (fields: object): void =>
      void logged.push({ level, fields })
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, logged }
}

/** Options of an exporter on a free port, whose state and one trace are in a directory of this test. */
function given(): { options: ExporterOptions; trace: string; logged: Logged[] } {
  const directory = temporaryDirectory()
  const builds = path.join(directory, 'builds')
  mkdirSync(builds)
  const trace = path.join(builds, 'audit_trace.jsonl')
  writeFileSync(trace, lines(entry()))
  const { log, logged } = recorder()
  const options = { paths: [builds], listen: '127.0.0.1:0', state: path.join(directory, 'state'), log }
  return { options, trace, logged }
}

const entries = async (url: string): Promise<number> =>
  [...parseExposition(await (await fetch(`${url}/metrics`)).text())]
    .filter(([series]) => series.startsWith('audit_entries_total{'))
    .reduce((sum, [, value]) => sum + value, 0)

test('it serves what is in the files, and what is appended, and nothing after it has stopped', async () => {
  const { options, trace, logged } = given()
  const exporter = await startExporter(options)
  await exporter.ready
  expect(exporter.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/u)
  expect(await entries(exporter.url)).toBe(1)
  appendFileSync(trace, lines(entry()))
  await expect.poll(() => entries(exporter.url)).toBe(2)
  await Promise.all([exporter.stop(), exporter.stop()])
  await exporter.stopped
  await expect(fetch(exporter.url)).rejects.toThrow('fetch failed')
  expect(logged.map(({ fields }) => (fields as { event: string }).event)).toEqual(
    expect.arrayContaining(['state_new', 'listening', 'stopped']),
  )
})

test('the next one continues with the same state, after `await using` has stopped the first', async () => {
  const { options, trace } = given()
  {
    await using exporter = await startExporter(options)
    await exporter.ready
  }
  appendFileSync(trace, lines(entry()))
  await using exporter = await startExporter(options)
  await exporter.ready
  expect(await entries(exporter.url)).toBe(2)
})

test.each([
  [{ listen: 'here' }, 'startExporter: listen: "here" is not an address'],
  [{ buildTimeout: 'soon' }, 'startExporter: buildTimeout: "soon" is not a duration'],
  [{ paths: [] }, 'startExporter: paths: at least one is needed'],
  [{ path: '/builds' }, 'startExporter: Unrecognized key: "path"'],
])('the options %j are refused by name', async (wrong, message) => {
  const starting = startExporter({ ...given().options, ...(wrong as Partial<ExporterOptions>) })
  await expect(starting).rejects.toThrow(TypeError)
  await expect(startExporter({ ...given().options, ...(wrong as object) })).rejects.toThrow(message)
})

test('an address in use, and a state in use, are errors that say so', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const listen = `127.0.0.1:${(server.address() as AddressInfo).port}`
  await expect(startExporter({ ...given().options, listen })).rejects.toThrow(listen)
  const { options } = given()
  await using _first = await startExporter(options)
  await expect(startExporter(options)).rejects.toThrow('is using it')
})
