import { execFile } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { check } from '../../src/commands/check.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { requireProgram } from '../setup/programs.ts'

const run = promisify(execFile)
const WRITERS = path.resolve(import.meta.dirname, '../../docs/writers')

let directory: string
beforeEach(() => void (directory = temporaryDirectory()))

const trace = (): string => path.join(directory, 'audit_trace.jsonl')
const entries = (): Record<string, unknown>[] =>
  readFileSync(trace(), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** What `check --strict` prints about the trace, without the place of the file. */
async function faults(): Promise<string[]> {
  const printed: string[] = []
  const options = {
    fileName: 'audit_trace.jsonl',
    maxLineBytes: 16 << 20,
    followSymlinks: false,
    strict: true,
  }
  await check({ ...options, paths: [directory] }, (line) => printed.push(line.replace(/^.*\.jsonl:/, '')))
  return printed
}

const python = (code: string): Promise<unknown> =>
  run(requireProgram('python3'), ['-c', `from audit_trace import *\n${code}`], {
    cwd: directory,
    env: { ...process.env, PYTHONPATH: WRITERS, PYTHONDONTWRITEBYTECODE: '1' },
  })

function shell(...fields: string[]): Promise<unknown> {
  requireProgram('jq')
  return run('sh', [path.join(WRITERS, 'audit-trace.sh'), directory, ...fields])
}

test('`check` accepts what the Python writer writes, run as it is shown', async () => {
  await run(requireProgram('python3'), [path.join(WRITERS, 'audit_trace.py')], { cwd: directory })
  expect(await faults()).toEqual([])
  expect(entries().map((entry) => [entry['step_name'], entry['validation_status']])).toEqual([
    ['initial_verification', 'fail'],
    ['fix_attempt_1', undefined],
  ])
})

test('the Python writer takes any text, and refuses numbers that JSON has not', async () => {
  const step = "workflow_run_id='b', step_name='fix'"
  await python(`log_audit_entry('.', ${step}, error_full='\\udcff "\\n\\x00 \\U0001f600', model=None)`)
  expect(await faults()).toEqual([])
  expect(entries()[0]).toMatchObject({ error_full: '\udcff "\n\0 😀', model: null })
  await expect(python(`log_audit_entry('.', ${step}, cost_usd=float('nan'))`)).rejects.toThrow('ValueError')
  expect(entries()).toHaveLength(1)
  await python(`assert log_size_chars('a\\U0001f600\\udcff') == ${'a😀\udcff'.length}`)
})

test('`check` accepts what the shell writer writes, whatever the texts contain', async () => {
  const texts = ['a=b "q" \\ \n\t😀', '$(date) `date` %s', '\u001b[31mred', '--option']
  for (const text of texts) await shell('workflow_run_id=7', 'step_name=fix', `error_full=${text}`)
  await shell('workflow_run_id=7', 'step_name=fix', 'prompt_token_count:=6318', 'files_touched:=["a b"]')
  expect(await faults()).toEqual([])
  expect(entries().map((entry) => entry['error_full'])).toEqual([...texts, undefined])
  expect(entries().at(-1)).toMatchObject({
    workflow_run_id: '7',
    prompt_token_count: 6318,
    files_touched: ['a b'],
  })
  await expect(shell('workflow_run_id=7', 'prompt_token_count:=many')).rejects.toThrow('many')
  expect(entries()).toHaveLength(texts.length + 1)
})

test('both writers begin a new line behind a torn one', async () => {
  for (const write of [
    () => python("log_audit_entry('.', workflow_run_id='b', step_name='fix')"),
    () => shell('workflow_run_id=b', 'step_name=fix'),
  ]) {
    appendFileSync(trace(), '{"workflow_run_id":"torn')
    await write()
  }
  expect(await faults()).toEqual([expect.stringMatching(/^1: /), expect.stringMatching(/^3: /)])
})

test('many writers of both kinds append long lines to one file at once, and none is torn', async () => {
  const many = `
for i in range(30):
    log_audit_entry('.', workflow_run_id='python', step_name=f'fix_{i}', error_full='x' * 90_000)`
  const fields = ['workflow_run_id=shell', 'step_name=fix', `error_full=${'y'.repeat(90_000)}`]
  const shells = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) await shell(...fields)
  }
  await Promise.all([python(many), python(many), python(many), shells(), shells(), shells()])
  expect(await faults()).toEqual([])
  expect(entries().filter((entry) => String(entry['error_full']).length === 90_000)).toHaveLength(105)
})
