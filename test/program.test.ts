import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { runProgram, type ProgramDeps } from '../src/program.ts'
import { startDaemon } from './setup/daemon.ts'
import { entry, lines } from './setup/entries.ts'
import { temporaryDirectory } from './setup/exporter.ts'
import { start, until } from './setup/process.ts'

const MAIN = path.resolve(import.meta.dirname, '../src/main.ts')

/** Runs the program to its end. */
async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string }> {
  const running = start(process.execPath, [MAIN, ...args], env)
  const code = await until('the program ends', () => running.child.exitCode ?? undefined, {
    detail: running.output,
  })
  return { code, output: running.output() }
}

test.each([
  [['watch'], 2, "missing required argument 'path'"],
  [['watch', '/builds', '--listen', 'here'], 2, '--listen: "here" is not an address'],
  [['watch', '/builds', '--poll=maybe'], 2, '--poll: "maybe" is not one of true, yes, 1, false, no, 0'],
  [['report', '/builds', '--since', '99999999999999999999d'], 2, '--since: '],
  [['report', '/builds', '--export', '-'], 2, '--export: "-" is not a file'],
  [['check', '/builds', '--file-name', '*.jsonl'], 2, '--file-name: '],
  [
    ['watch', '/builds', '--web-config', '/nowhere/web.yml'],
    2,
    '--web-config /nowhere/web.yml: cannot be read',
  ],
  [['watch', '/builds', '--colour'], 2, "unknown option '--colour'"],
  [['nothing'], 2, "unknown command 'nothing'"],
  [['simulate', '/tmp/x', '--speed', '0'], 2, '--speed'],
])('%j ends with exit code %i and a sentence that says why', async (args, code, sentence) => {
  const ended = await run(args)
  expect(ended.code).toBe(code)
  expect(ended.output).toContain(sentence)
})

test('a variable is validated like its flag, and named in the message', async () => {
  const ended = await run(['watch', '/builds'], { AUDIT_BUILD_TIMEOUT: 'soon' })
  expect([ended.code, ended.output]).toEqual([
    2,
    expect.stringContaining('AUDIT_BUILD_TIMEOUT (--build-timeout): "soon" is not a duration'),
  ])
})

test('a phase whose pattern is no regular expression is told apart from an unknown phase', async () => {
  const ended = await run(['watch', '/builds', '--phase', 'verify=('])
  expect([ended.code, ended.output]).toEqual([
    2,
    expect.stringMatching(/--phase: "verify=\(" has a bad pattern: .*Unterminated group/u),
  ])
})

test('a misspelt variable is warned about, with the one that is meant, and nothing else is', async () => {
  const ended = await run(['check', temporaryDirectory(), '--log-format', 'json'], {
    AUDIT_BULID_TIMEOUT: '2h',
    AUDIT_SOMETHING: '1',
    AUDIT_STATE: '/of/watch',
    // What Kubernetes sets in every pod beside a service of this name.
    AUDIT_TRACE_EXPORTER_SERVICE_HOST: '10.0.0.1',
    AUDIT_TRACE_EXPORTER_PORT_9464_TCP_ADDR: '10.0.0.1',
  })
  const warned = ended.output.split('\n').filter((line) => line.includes('unknown_variable'))
  expect(warned.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'AUDIT_BULID_TIMEOUT: no command reads this variable. Did you mean AUDIT_BUILD_TIMEOUT?',
    'AUDIT_SOMETHING: no command reads this variable.',
  ])
})

test.each([
  [['--log-level', 'warn'], {}, []],
  [['--log-format', 'json'], {}, ['simulation ended', '"level":"info"']],
  [['--log-format', 'text'], {}, ['INFO: simulation ended']],
  [[], { AUDIT_LOG_LEVEL: 'error' }, []],
])('%j with %j decides what is logged and how', async (args, env, texts) => {
  const simulated = ['simulate', temporaryDirectory(), '--builds', '1', '--speed', '100000', '--seed', '1']
  const { code, output } = await run([...simulated, ...args], env)
  expect(code).toBe(0)
  if (texts.length === 0) expect(output).toBe('')
  for (const text of texts) expect(output).toContain(text)
})

test.each([
  [['--help']],
  [['watch', '--help']],
  [['check', '--help']],
  [['demo', '--help']],
  [['--version']],
])('%j ends with 0', async (args) => {
  expect((await run(args)).code).toBe(0)
})

/** The help that a command line prints on a terminal of 80 columns. */
async function help(...args: readonly string[]): Promise<string> {
  const printed: string[] = []
  const deps = {
    version: '0',
    print: (line: string) => printed.push(line),
    complain: (line: string) => printed.push(line),
  }
  expect(await runProgram(['node', 'main', ...args, '--help'], deps as unknown as ProgramDeps)).toBe(0)
  return printed.join('\n')
}

test('no line of any help is wider than 80 columns', async () => {
  const all = await help()
  const commands = [...all.matchAll(/^ {2}([a-z]+) \[options\]/gm)].map(([, name]) => name ?? '')
  expect(commands.length).toBeGreaterThan(7)
  const helps = [all, ...(await Promise.all(commands.map((name) => help(name))))]
  expect(helps.flatMap((text) => text.split('\n').filter((line) => line.length > 80))).toEqual([])
})

test('report --out - writes to standard output, and no file of that name', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry()))
  const { code, output } = await run(['report', directory, '--format', 'json', '--out', '-'])
  expect([code, existsSync('-')]).toEqual([0, false])
  expect(output).toContain('"insights"')
})

test('check names each fault by file, line, field and cause, and fails', async () => {
  const directory = temporaryDirectory()
  const file = path.join(directory, 'audit_trace.jsonl')
  const wrong = { ...entry(), prompt_token_count: 'many' }
  const sum = entry({ prompt_token_count: 1, completion_token_count: 2, total_token_cost: 9 })
  writeFileSync(file, lines(entry(), wrong, sum) + '{"torn')
  const ended = await run(['check', directory])
  expect(ended.code).toBe(1)
  // Which of the two is shorter depends on the directory of the clone.
  const shown = [file, path.relative('.', file)].toSorted((a, b) => a.length - b.length)[0] ?? ''
  expect(ended.output).toContain(`${shown}:2: prompt_token_count: `)
  expect(ended.output).toContain(
    `${shown}:3: total_token_cost: is not prompt_token_count + completion_token_count`,
  )
  expect(ended.output).toContain(`${shown}:4: does not end in a newline`)
  expect(ended.output).toContain('1 file, 3 lines, 3 faults')
})

test('check accepts valid files, and says if there are none', async () => {
  const directory = temporaryDirectory()
  writeFileSync(path.join(directory, 'audit_trace.jsonl'), lines(entry()))
  expect((await run(['check', directory])).code).toBe(0)
  const nothing = await run(['check', path.join(directory, 'nowhere')])
  expect([nothing.code, nothing.output]).toEqual([1, expect.stringContaining('does not exist')])
})

test('a port in use is one sentence and exit code 1', async () => {
  const directory = temporaryDirectory()
  const daemon = await startDaemon({ roots: [directory], state: path.join(directory, 'state') })
  const second = await run([
    'watch',
    directory,
    '--listen',
    daemon.address,
    '--state',
    path.join(directory, 'other'),
  ])
  expect(second.code).toBe(1)
  expect(second.output).toContain(daemon.address)
})
