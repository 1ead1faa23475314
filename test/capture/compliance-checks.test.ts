import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { classifyFailure } from '../../src/capture/classify-failure.ts'
import { runComplianceChecks, type Check } from '../../src/capture/compliance-checks.ts'
import { relevantLog } from '../../src/capture/relevant-log.ts'
import { brokenSources, packageFiles, toolsDir, writePackage } from '../setup/package-project.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-checks-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const env = { ...process.env, PATH: `${toolsDir}:${String(process.env['PATH'])}` }
const run = (checks?: readonly Check[]) =>
  runComplianceChecks({ workingDir: dir, ...(checks === undefined ? {} : { checks }) }, { env })
const ALL = ['npm install --no-audit --no-fund', 'npm run build', 'npm run lint', 'npm test']

describe('runComplianceChecks, with the real npm, tsc, eslint and node:test', () => {
  it('passes a sound package and lists every command', async () => {
    writePackage(dir)
    expect(await run()).toMatchObject({ status: 'pass', commandsAttempted: ALL })
  })

  it.each([
    ['TSC_ERROR', 2, /^src\/sum\.js\(2,\d+\): error TS2339: .*total/],
    ['ESLINT_ERROR_EQEQEQ', 3, /^\/.*\/src\/sum\.js\n +2:\d+ +error +Expected '===' .* eqeqeq$/],
    ['NODE_TEST_FAILURE', 4, /adds up[^]*2 == 3/],
  ] as const)('stops at the first failure and names it: %s', async (errorType, commands, relevant) => {
    writePackage(dir, { 'src/sum.js': brokenSources[errorType] })
    const result = await run()
    expect(result).toMatchObject({
      status: 'fail',
      commandsAttempted: ALL.slice(0, commands),
      failure: { errorType },
    })
    expect(result.failure?.relevantLog).toMatch(relevant)
    expect(result.failure?.relevantLog).not.toContain('npm error')
    expect(result.failure?.log).toHaveLength(result.failure?.logChars ?? 0)
  })

  it('names an install that fails', async () => {
    const manifest = JSON.parse(packageFiles['package.json'] ?? '') as object
    writePackage(dir, {
      'package.json': JSON.stringify({ ...manifest, dependencies: { x: 'file:./gone.tgz' } }),
    })
    expect(await run()).toMatchObject({ status: 'fail', failure: { errorType: 'NPM_INSTALL_FAILURE' } })
  })

  it('names a script that the package does not have', async () => {
    writePackage(dir, { 'package.json': '{"name":"sum","version":"1.0.0"}' })
    expect(await run()).toMatchObject({ failure: { check: 'build', errorType: 'NPM_MISSING_SCRIPT' } })
  })

  it('ends a check that hangs, and its children, and calls it a failure', async () => {
    writeFileSync(
      path.join(dir, 'hang.cjs'),
      `require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' })`,
    )
    const hang: Check = { name: 'test', kind: 'test', command: ['node', 'hang.cjs'], timeoutMs: 1_000 }
    expect(await run([hang])).toMatchObject({
      status: 'fail',
      failure: {
        errorType: 'TEST_TIMEOUT',
        log: expect.stringContaining('"node hang.cjs" was ended after') as string,
      },
    })
  })

  it('keeps the size of a log that it has to cut', async () => {
    writeFileSync(path.join(dir, 'loud.cjs'), `process.stdout.write('x'.repeat(3e6), () => process.exit(1))`)
    const loud: Check = { name: 'codegen', kind: 'other', command: ['node', 'loud.cjs'] }
    const { failure } = await run([loud])
    expect(failure).toMatchObject({ errorType: 'CODEGEN_FAILURE', logChars: 3_000_000 })
    expect(failure?.log.length).toBeLessThan(201_000)
    expect(failure?.relevantLog.length).toBeLessThan(13_000)
  })

  it('throws where a program is missing: no agent can mend that', async () => {
    const missing: Check = { name: 'x', kind: 'other', command: ['no-such-program'] }
    await expect(run([missing])).rejects.toThrow('cannot start no-such-program')
  })
})

describe('classifyFailure', () => {
  const jest =
    'FAIL src/a.test.ts\n  ● adds up\n\n    expect(received).toBe(expected)\n\nTests:       1 failed, 3 passed, 4 total\n'
  const any =
    '/w/src/a.ts\n  1:9  error  Unexpected any. Specify a different type  @typescript-eslint/no-explicit-any\n'
  const warned = '/w/src/a.ts\n  2:1  warning  Unexpected console statement  no-console\n'

  it.each([
    ['lint', any, 'ESLINT_ERROR_NO_ANY'],
    [
      'lint',
      `${any}  3:1  error  'b' is not used  no-unused-vars\n  4:1  error  'c' is not used  no-unused-vars\n`,
      'ESLINT_ERROR_NO_UNUSED_VARS',
    ],
    ['lint', '/w/a.ts\n  1:1  error  Parsing error: Unexpected token\n', 'ESLINT_ERROR'],
    ['lint', warned, 'LINT_FAILURE'],
    ['test', jest, 'JEST_FAILURE'],
    ['test', ' Test Files  1 failed (1)\n', 'VITEST_FAILURE'],
    ['test', 'src/a.test.ts:3:5 - error TS2345: no\n', 'TSC_ERROR'],
    ['test', 'Segmentation fault\n', 'TEST_FAILURE'],
    ['build', 'webpack compiled with 1 error\n', 'BUILD_FAILURE'],
  ] as const)('reads a %s log', (kind, log, type) => {
    expect(classifyFailure(kind, kind, log)).toBe(type)
  })

  it('keeps of a jest log what failed', () => {
    expect(relevantLog(`PASS src/b.test.ts\n${jest}`, 1000)).toBe(jest.trim())
  })

  it('keeps of a lint log the errors below their files', () => {
    expect(relevantLog(`${warned}${any}✖ 2 problems`, 1000)).toBe(any.trimEnd())
  })

  it('keeps of a compiler log the errors and their explanations', () => {
    const errors = `a.ts(1,1): error TS2322: Type 'x'.\n  Types of property 'y' differ.`
    expect(relevantLog(`> build\n> tsc\n\n${errors}\nnpm error Lifecycle script failed`, 1000)).toBe(errors)
  })
})
