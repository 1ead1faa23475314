import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { check } from '../../../src/commands/check.ts'
import { parseLine } from '../../../src/entry/parse.ts'
import { appendAuditEntry, logAuditEntry } from '../../../src/capture/trace/log-audit-entry.ts'
import { until } from '../../setup/process.ts'
import { requireProgram } from '../../setup/programs.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-log-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const trace = (): string => path.join(dir, 'audit_trace.jsonl')
const lines = (): string[] => readFileSync(trace(), 'utf8').split('\n').slice(0, -1)
const entries = (): Record<string, unknown>[] =>
  lines().map((line) => JSON.parse(line) as Record<string, unknown>)
const step = { workflow_run_id: 'run-1', step_name: 'implement_v1' }

describe('logAuditEntry', () => {
  it('sets the timestamp and derives total, error size and rework cost factor', async () => {
    await logAuditEntry(
      dir,
      { ...step, prompt_token_count: 30, completion_token_count: 12, error_full: 'abcd' },
      { now: () => new Date('2026-11-01T10:00:00Z') },
    )
    expect(entries()).toEqual([
      {
        ...step,
        timestamp: '2026-11-01T10:00:00.000Z',
        prompt_token_count: 30,
        completion_token_count: 12,
        total_token_cost: 42,
        error_full: 'abcd',
        error_log_size_chars: 4,
        rework_cost_factor: 3,
      },
    ])
  })

  it('given values take precedence over derived ones', async () => {
    const given = { error_log_size_chars: 9, rework_cost_factor: 7, timestamp: '2026-11-01T10:00:00+01:00' }
    await logAuditEntry(dir, { ...step, completion_token_count: 3, error_full: 'abc', ...given })
    expect(entries()[0]).toMatchObject(given)
  })

  it('null means absent, and nothing is derived from it', async () => {
    const nothing = {
      prompt_token_count: null,
      error_full: null,
      entry_id: null,
      timestamp: null,
      model: null,
    }
    const now = () => new Date('2026-11-01T10:00:00Z')
    await logAuditEntry(dir, { ...step, ...nothing, completion_token_count: 12 }, { now })
    await logAuditEntry(dir, { ...step, completion_token_count: null, error_log_size_chars: 9 }, { now })
    const timestamp = now().toISOString()
    expect(entries()).toEqual([
      { ...step, timestamp, completion_token_count: 12 },
      { ...step, timestamp, error_log_size_chars: 9 },
    ])
    expect(lines()[0]).not.toContain('entry_id')
  })

  it('rejects an empty idempotency key, which all steps would share', async () => {
    await expect(logAuditEntry(dir, step, { idempotencyKey: '' })).rejects.toThrow(
      /audit_trace\.jsonl: the idempotency key \(entry_id\): is empty/,
    )
    await expect(logAuditEntry(dir, { ...step, entry_id: '' })).rejects.toThrow(TypeError)
    expect(existsSync(trace())).toBe(false)
  })

  it('marks the cut in a long error, and the size is that of the uncut error', async () => {
    await logAuditEntry(
      dir,
      { ...step, error_full: `${'a'.repeat(500)}${'z'.repeat(500)}` },
      { errorLimitChars: 100 },
    )
    const [entry] = entries()
    expect(entry?.['error_log_size_chars']).toBe(1000)
    expect(entry?.['error_full']).toBe(
      `${'a'.repeat(70)}\n[… 900 of 1000 characters left out …]\n${'z'.repeat(30)}`,
    )
  })

  it('does not cut a surrogate pair', async () => {
    await logAuditEntry(dir, { ...step, error_full: '😀'.repeat(500) }, { errorLimitChars: 101 })
    expect(entries()[0]?.['error_full']).toMatch(/^(😀)+\n\[.*\]\n(😀)+$/u)
  })

  it.each([
    ['no build', { step_name: 'scaffold' }, /workflow_run_id/],
    ['a negative count', { ...step, prompt_token_count: -1 }, /prompt_token_count/],
    ['a count that is not finite', { ...step, prompt_token_count: Number.NaN }, /prompt_token_count/],
    ['a time without zone', { ...step, timestamp: '2026-11-01T10:00:00' }, /timestamp/],
  ])('refuses what the reader would reject, and writes nothing: %s', async (_, entry, message) => {
    await expect(logAuditEntry(dir, entry as never)).rejects.toThrow(message)
    expect(() => readFileSync(trace())).toThrow('ENOENT')
  })

  it('terminates a torn line of a killed writer', async () => {
    writeFileSync(trace(), '{"workflow_run_id":"run-1","step_na')
    await logAuditEntry(dir, step)
    expect(lines()).toHaveLength(2)
    expect(JSON.parse(lines()[1] ?? '')).toMatchObject(step)
  })

  it('writes once per idempotency key, with other lines in between', async () => {
    const first = await appendAuditEntry(dir, step, { idempotencyKey: 'run-1/implement_v1' })
    await logAuditEntry(dir, { ...step, step_name: 'x'.repeat(1_100_000) }, { idempotencyKey: 'other' })
    const again = await appendAuditEntry(dir, step, { idempotencyKey: 'run-1/implement_v1' })
    expect([first.written, again.written]).toEqual([true, false])
    expect(lines()).toHaveLength(2)
  })

  it('a text that looks like an idempotency key is not one', async () => {
    await logAuditEntry(dir, { ...step, error_full: ',"entry_id":"k"}\n' })
    expect((await appendAuditEntry(dir, step, { idempotencyKey: 'k' })).written).toBe(true)
  })

  it('adds the missing newline to a line of a killed writer', async () => {
    await logAuditEntry(dir, step, { idempotencyKey: 'k' })
    writeFileSync(trace(), readFileSync(trace(), 'utf8').trimEnd())
    await logAuditEntry(dir, step, { idempotencyKey: 'k' })
    expect(entries()).toHaveLength(1)
  })

  it('a short write is an error, and after the retry the step is there once', async () => {
    let partly = true
    const attempt = () =>
      logAuditEntry(dir, step, {
        idempotencyKey: 'k',
        write: async (file, bytes) => (await file.write(partly ? bytes.subarray(0, 20) : bytes)).bytesWritten,
      })
    await expect(attempt()).rejects.toThrow(/audit_trace\.jsonl: only 20 of \d+ bytes/)
    partly = false
    await attempt()
    expect(lines()).toHaveLength(2)
    expect(JSON.parse(lines()[1] ?? '')).toMatchObject(step)
  })

  it('an error names the path, the cause and what to do', async () => {
    await expect(logAuditEntry(path.join(dir, 'missing'), step)).rejects.toThrow(
      /missing\/audit_trace\.jsonl: ENOENT.*\. Create the working directory before the first entry\.$/,
    )
    mkdirSync(trace())
    await expect(logAuditEntry(dir, step)).rejects.toThrow(/audit_trace\.jsonl: EISDIR/)
  })

  it('syncs the line to disk, unless durable is false', () => {
    const strace = requireProgram('strace')
    const program = fileURLToPath(new URL('../../setup/append-entries.ts', import.meta.url))
    const syncs = (...args: string[]): number => {
      const traced = [process.execPath, program, dir, 'writer', '3', ...args]
      const { stderr, status } = spawnSync(strace, ['-f', '-y', '-e', 'trace=fdatasync', ...traced], {
        encoding: 'utf8',
      })
      expect(status, stderr).toBe(0)
      return stderr.split('\n').filter((line) => /fdatasync\(\d+<.*\/audit_trace\.jsonl>/.test(line)).length
    }
    expect(syncs()).toBe(3)
    expect(syncs('not-durable')).toBe(0)
  })

  it('a killed writer leaves no lock and at most one torn line', async () => {
    const program = fileURLToPath(new URL('../../setup/append-entries.ts', import.meta.url))
    const writer = spawn('node', [program, dir, 'killed', '100000'], { stdio: 'ignore' })
    const exited = once(writer, 'exit')
    await until('a hundred lines are there', () => (existsSync(trace()) && lines().length > 100) || undefined)
    writer.kill('SIGKILL')
    await exited
    await logAuditEntry(dir, step)
    const whole = lines().filter((line) => parseLine(line).ok)
    expect(lines().length - whole.length).toBeLessThanOrEqual(1)
    expect(JSON.parse(whole.at(-1) ?? '')).toMatchObject(step)
  })

  it('no line is lost or torn while 16 processes append 10,000 lines and another writer uses no lock', async () => {
    const program = fileURLToPath(new URL('../../setup/append-entries.ts', import.meta.url))
    const writers = Array.from({ length: 16 }, (_, i) =>
      spawn('node', [program, dir, `writer-${String(i)}`, '625'], { stdio: ['ignore', 'ignore', 'inherit'] }),
    )
    const ended = Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0] as number))
    let strangers = 0
    while (strangers < 5_000) {
      appendFileSync(
        trace(),
        `{"workflow_run_id":"stranger","step_name":"s","timestamp":"2026-11-01T10:00:00Z"}\n`,
      )
      strangers++
      await new Promise(setImmediate)
    }
    expect(await ended).toEqual(Array.from({ length: 16 }, () => 0))

    // If the writer without the lock appends between the look at the last byte and the append, a blank line results.
    const found = lines().filter((line) => line !== '')
    expect(found).toHaveLength(10_000 + strangers)
    const perWriter = new Map<string, string[]>()
    for (const line of found) {
      const { workflow_run_id: writer, step_name: name } = JSON.parse(line) as Record<string, string>
      const steps = perWriter.get(writer ?? '') ?? []
      steps.push(name ?? '')
      perWriter.set(writer ?? '', steps)
    }
    perWriter.delete('stranger')
    const inOrder = Array.from({ length: 625 }, (_, i) => `implement_v${String(i)}`)
    expect([...perWriter.values()]).toEqual(Array.from({ length: 16 }, () => inOrder))

    const faults: string[] = []
    const options = {
      fileName: 'audit_trace.jsonl',
      maxLineBytes: 16 * 2 ** 20,
      followSymlinks: false,
      strict: true,
    }
    await check({ ...options, paths: [dir] }, (line) => faults.push(line))
    expect(faults).toEqual([])
  })
})
