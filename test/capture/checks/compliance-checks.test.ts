import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runComplianceChecks } from '../../../src/capture/checks/compliance-checks.ts'
import type { Check, ComplianceRequest } from '../../../src/capture/checks/compliance-request.ts'
import { brokenSources, packageFiles, toolsDir, writePackage } from '../../setup/package-project.ts'

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
  it('passes a correct package and lists every command', async () => {
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

  it('a check that times out is ended with its children, and has failed', async () => {
    writeFileSync(
      path.join(dir, 'hang.cjs'),
      `require('child_process').spawn('sleep', ['1000'], { stdio: 'inherit' })`,
    )
    const hang: Check = { name: 'test', kind: 'test', command: ['node', 'hang.cjs'], timeoutMs: 1_000 }
    expect(await run([hang])).toMatchObject({
      status: 'fail',
      failure: {
        errorType: 'TEST_TIMEOUT',
        log: expect.stringContaining('"node hang.cjs" timed out after') as string,
      },
    })
  })

  it('the size of a cut log is that of the uncut log', async () => {
    writeFileSync(path.join(dir, 'loud.cjs'), `process.stdout.write('x'.repeat(3e6), () => process.exit(1))`)
    const loud: Check = { name: 'codegen', kind: 'other', command: ['node', 'loud.cjs'] }
    const { failure } = await run([loud])
    expect(failure).toMatchObject({ errorType: 'CODEGEN_FAILURE', logChars: 3_000_000 })
    expect(failure?.log.length).toBeLessThan(201_000)
    expect(failure?.relevantLog.length).toBeLessThan(13_000)
  })

  it('counts all characters of a log that exceeds the memory limit', async () => {
    writeFileSync(
      path.join(dir, 'endless.cjs'),
      `process.stdout.write('x'.repeat(40e6), () => process.exit(1))`,
    )
    const { failure } = await run([{ name: 'x', kind: 'other', command: ['node', 'endless.cjs'] }])
    expect(failure?.logChars).toBe(40_000_000)
  })

  it('names the error type of a timeout after the check', async () => {
    const hang: Check = { name: 'unit tests', kind: 'test', command: ['sleep', '1000'], timeoutMs: 300 }
    expect(await run([hang])).toMatchObject({ failure: { errorType: 'UNIT_TESTS_TIMEOUT' } })
  })

  it('a program that aborts has failed, and one that is killed from outside has not', async () => {
    const abort = (script: string): Check => ({
      name: 'unit',
      kind: 'other',
      command: ['node', '-e', script],
    })
    expect(await run([abort('process.abort()')])).toMatchObject({
      status: 'fail',
      failure: { errorType: 'UNIT_FAILURE', log: expect.stringContaining('killed by SIGABRT') as string },
    })
    await expect(run([abort(`process.kill(process.pid, 'SIGKILL')`)])).rejects.toThrow(/"unit" in .*killed/)
  })

  describe('the environment of a check', () => {
    const secret = 'AIza-not-a-real-key'
    const given = {
      ...env,
      GEMINI_API_KEY: secret,
      MY_TOKEN: 'tok',
      NPM_TOKEN: 'npm-secret',
      NODE_ENV: 'production',
    }
    const told = async (command: Check['command'], passEnv?: string[]): Promise<string> => {
      const checks: Check[] = [{ name: 'told', kind: 'other', command }]
      const deps = { env: given, ...(passEnv === undefined ? {} : { passEnv }) }
      const { failure } = await runComplianceChecks({ workingDir: dir, checks }, deps)
      return `${String(failure?.log)}\n${String(failure?.relevantLog)}`
    }
    const SHOW: Check['command'] = [
      'node',
      '-p',
      `process.exitCode = 1; ['GEMINI_API_KEY', 'MY_TOKEN', 'NPM_TOKEN', 'NODE_ENV', 'HOME'].filter((name) => name in process.env).join()`,
    ]

    it('has no secrets of the worker, and no NODE_ENV=production', async () => {
      expect(await told(SHOW)).toBe('HOME\nHOME')
    })

    it('has the secrets that passEnv names', async () => {
      expect(await told(SHOW, ['NPM_TOKEN'])).toBe('NPM_TOKEN,HOME\nNPM_TOKEN,HOME')
    })

    it('withheld values that a check finds elsewhere are masked', async () => {
      writeFileSync(path.join(dir, '.env'), `KEY=${secret}, tok`)
      expect(await told(['bash', '-c', 'cat .env; exit 1'])).toBe(
        'KEY=[GEMINI_API_KEY withheld], tok\nKEY=[GEMINI_API_KEY withheld], tok',
      )
    })
  })

  it('names the rule with too many warnings, also in files with spaces in their names', async () => {
    writePackage(dir, {
      'package.json': (packageFiles['package.json'] ?? '').replace(
        'eslint src',
        'eslint --max-warnings 0 src',
      ),
      'eslint.config.js': `export default [{ rules: { 'no-console': 'warn' } }]`,
      'src/a b/c d.js': 'console.log(1)\n',
    })
    const { failure } = await run()
    expect(failure).toMatchObject({ check: 'lint', errorType: 'ESLINT_ERROR_NO_CONSOLE' })
    expect(failure?.relevantLog).toMatch(
      /^\/.*\/src\/a b\/c d\.js\n +1:1 +warning .* no-console\nESLint found too many warnings/,
    )
  })

  it('recognises a broken ESLint configuration, and tests that timed out', async () => {
    writePackage(dir, { 'eslint.config.js': 'no configuration' })
    expect(await run()).toMatchObject({ failure: { check: 'lint', errorType: 'ESLINT_ERROR' } })
    const slow = `import test from 'node:test'\ntest('slow', { timeout: 50 }, () => new Promise((done) => setTimeout(done, 1e3)))\n`
    writePackage(dir, { 'src/sum.test.js': slow })
    expect(await run()).toMatchObject({ failure: { check: 'test', errorType: 'NODE_TEST_FAILURE' } })
  })

  it('throws if a program is missing, which no agent can fix', async () => {
    const missing: Check = { name: 'x', kind: 'other', command: ['no-such-program'] }
    await expect(run([missing])).rejects.toThrow('cannot start no-such-program')
  })
})

describe('a request without types', () => {
  const test = { name: 'test', kind: 'test', command: ['npm', 'test'] }

  it.each([
    ['/builds/sum', /request must be an object, such as \{ workingDir/],
    [undefined, /request must be an object/],
    [{}, /request\.workingDir must be a string/],
    [{ workingDir: '' }, /request\.workingDir must not be empty/],
    [{ workingDir: '.', checks: 'all' }, /request\.checks must be an array/],
    [
      { workingDir: '.', checks: [test, { ...test, command: 'npm test' }] },
      /checks\[1\]\.command .*\['npm', 'test'\]/,
    ],
    [{ workingDir: '.', checks: [{ ...test, command: [] }] }, /checks\[0\]\.command must name a program/],
    [{ workingDir: '.', checks: [{ ...test, kind: 'unit' }] }, /checks\[0\]\.kind .*install, build/],
    [
      { workingDir: '.', checks: [{ ...test, timeoutMs: 0 }] },
      /checks\[0\]\.timeoutMs must be greater than 0/,
    ],
  ])('%j is refused before anything runs, and the field is named', async (request, message) => {
    const running = runComplianceChecks(request as ComplianceRequest, { env: {} })
    await expect(running).rejects.toThrow(TypeError)
    await expect(running).rejects.toThrow(message)
  })
})
