import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  filesTouched,
  setupWorkspace,
  takeSnapshot,
  writeContext,
} from '../../../src/capture/agent/workspace.ts'
import { start, until } from '../../setup/process.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-workspace-'))
  mkdirSync(template())
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const template = (): string => path.join(dir, 'template')
const request = () => ({ root: path.join(dir, 'builds'), packageName: 'sum', runId: 'run' })
const setup = (): Promise<string> => setupWorkspace({ ...request(), templateDir: template() })

function write(below: string, name: string, content = 'x'): void {
  const file = path.join(below, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
}

describe('setupWorkspace', () => {
  it('copies the template, and keeps the files of an existing workspace', async () => {
    write(template(), 'src/a.ts', 'template')
    const made = await setup()
    expect(made).toBe(path.join(dir, 'builds', 'sum', 'run'))
    write(made, 'src/a.ts', 'build')
    rmSync(path.join(template(), 'src'), { recursive: true })
    await setup()
    expect(readFileSync(path.join(made, 'src/a.ts'), 'utf8')).toBe('build')
  })

  it('copies links as links, and does not write the context through them', async () => {
    write(template(), 'AGENTS.md', 'the template’s own')
    symlinkSync('AGENTS.md', path.join(template(), 'GEMINI.md'))
    const made = await setup()
    expect(readlinkSync(path.join(made, 'GEMINI.md'))).toBe('AGENTS.md')
    await writeContext(made, 'GEMINI.md', 'the build’s')
    expect(lstatSync(path.join(made, 'GEMINI.md')).isFile()).toBe(true)
    for (const agents of [template(), made]) {
      expect(readFileSync(path.join(agents, 'AGENTS.md'), 'utf8')).toBe('the template’s own')
    }
  })

  it('is complete after a worker was killed while copying', async () => {
    for (let i = 0; i < 2_000; i++)
      write(template(), `src/${String(i % 50)}/${String(i)}.ts`, 'x'.repeat(5_000))
    const workspace = path.resolve(import.meta.dirname, '../../../src/capture/agent/workspace.ts')
    const worker = start(process.execPath, [
      '--input-type=module',
      '--eval',
      `import { setupWorkspace } from ${JSON.stringify(workspace)}
       await setupWorkspace(${JSON.stringify({ ...request(), templateDir: template() })})`,
    ])
    const parent = path.join(dir, 'builds', 'sum')
    await until('it copies', () => readdirSync(parent)[0])
    await worker.stop('SIGKILL')
    const made = await setup()
    expect(readdirSync(parent)).toEqual(['run'])
    const names = (of: string): string[] => readdirSync(of, { recursive: true, encoding: 'utf8' }).sort()
    expect(names(made)).toEqual(names(template()))
  })

  it('a missing template is an error that is not retried', async () => {
    rmSync(template(), { recursive: true })
    await expect(setup()).rejects.toThrow(TypeError)
    await expect(setup()).rejects.toThrow(/workspace .*: the template directory .*template does not exist$/)
    expect(existsSync(path.join(dir, 'builds'))).toBe(false)
    writeFileSync(template(), 'a file')
    await expect(setup()).rejects.toThrow(TypeError)
  })
})

describe('files touched', () => {
  it('exclude generated directories next to a package.json', async () => {
    const work = path.join(dir, 'work')
    write(work, 'packages/a/package.json')
    const before = await takeSnapshot(work)
    for (const made of [
      'dist/a.js',
      'coverage/lcov.info',
      '.venv/bin/python',
      '.next/x',
      'packages/a/build/a.js',
    ]) {
      write(work, made)
    }
    for (const source of ['src/build/a.ts', 'packages/a/src/dist/a.ts', 'build.ts']) write(work, source)
    expect(filesTouched(before, await takeSnapshot(work))).toEqual([
      'build.ts',
      'packages/a/src/dist/a.ts',
      'src/build/a.ts',
    ])
  })
})
