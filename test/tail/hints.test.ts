import { appendFileSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createHints } from '../../src/tail/hints.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { until } from '../setup/process.ts'

const HOUR = 3_600_000

function watchTree() {
  const root = temporaryDirectory()
  const told = new Set<string>()
  const hints = createHints({
    roots: [root],
    fileName: 'audit_trace.jsonl',
    coldAfterMs: HOUR,
    nowMs: () => Date.now(),
    onHint: (file) => void told.add(path.relative(root, file)),
    onError: (error) => {
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
  await hints.renew()
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
  await hints.renew()
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
