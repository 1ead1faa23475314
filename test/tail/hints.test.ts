import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createHints, type Hints } from '../../src/tail/hints.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { until } from '../setup/process.ts'

const HOUR = 3_600_000

function watchTree({ directories = [] as readonly string[], maxWatchedAtStart = 1_000 } = {}) {
  const root = temporaryDirectory()
  for (const directory of directories) mkdirSync(path.join(root, directory))
  const told = new Set<string>()
  const hints: Hints = createHints({
    roots: [root],
    fileName: 'audit_trace.jsonl',
    coldAfterMs: HOUR,
    maxWatchedAtStart,
    nowMs: () => Date.now(),
    wake: () => {
      for (const file of hints?.take() ?? []) told.add(path.relative(root, file))
    },
    onError: (error) => {
      throw error
    },
    onWatchLimit: (error) => {
      throw error
    },
  })
  onTestFinished(() => hints.close())
  const trace = (directory: string): string => {
    mkdirSync(path.join(root, directory), { recursive: true })
    return path.join(root, directory, 'audit_trace.jsonl')
  }
  return { root, told, hints, trace }
}

async function renewed(hints: Hints): Promise<void> {
  await hints.ready
  hints.takeReady()
  hints.renew()
  await until('the new watchers are in place', () => hints.takeReady() || undefined)
}

test('a new trace is told of, other files, links and ignored directories are not', async () => {
  const { root, told, trace } = watchTree()
  await until('a trace is told of', () => {
    for (const directory of ['build', 'node_modules/x', '.git'])
      writeFileSync(trace(directory), `${Math.random()}`)
    writeFileSync(path.join(root, 'other.jsonl'), '')
    rmSync(path.join(root, 'link'), { force: true })
    symlinkSync('/etc/passwd', path.join(root, 'link'))
    return told.has('build/audit_trace.jsonl') || undefined
  })
  expect([...told]).toEqual(['build/audit_trace.jsonl'])
})

test('after a renewal new traces are still told of', async () => {
  const { told, hints, trace } = watchTree()
  await renewed(hints)
  await until('a trace is told of', () => {
    appendFileSync(trace('later'), 'x')
    return told.has('later/audit_trace.jsonl') || undefined
  })
})

test('what was quiet for long when the watching began gets no watcher', async () => {
  const { told, hints, trace } = watchTree()
  const old = trace('old')
  writeFileSync(old, '')
  const longAgo = new Date(Date.now() - 2 * HOUR)
  for (const quiet of [old, path.dirname(old)]) utimesSync(quiet, longAgo, longAgo)
  await renewed(hints)
  told.clear()
  await until('a new trace is told of', () => {
    appendFileSync(trace('new'), 'x')
    return told.has('new/audit_trace.jsonl') || undefined
  })
  appendFileSync(old, 'x')
  await until('a newer trace is told of', () => {
    appendFileSync(trace('newer'), 'x')
    return told.has('newer/audit_trace.jsonl') || undefined
  })
  expect([...told].filter((file) => file.startsWith('old'))).toEqual([])
})

test('a trace that lives for an instant before it is renamed is hinted at under its new name', async () => {
  const { told, hints, trace } = watchTree()
  const at = trace('build')
  await hints.ready
  await until('the rename is hinted at', () => {
    writeFileSync(at, 'x')
    renameSync(at, `${at}.1`)
    return told.has('build/audit_trace.jsonl.1') || undefined
  })
})

test('of very many directories some are not watched, but all that are created later', async () => {
  const old = Array.from({ length: 20 }, (_, i) => `old-${i}`)
  const { told, hints, trace } = watchTree({
    maxWatchedAtStart: 5,
    directories: old,
  })
  await hints.ready
  await until('all new traces are told of', () => {
    for (const directory of [...old, 'new-1', 'new-2']) appendFileSync(trace(directory), 'x')
    return ['new-1', 'new-2'].every((name) => told.has(`${name}/audit_trace.jsonl`)) || undefined
  })
  const watched = old.filter((name) => told.has(`${name}/audit_trace.jsonl`))
  expect(watched).toHaveLength(5)
})
