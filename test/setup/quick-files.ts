import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

const TESTS = path.resolve(import.meta.dirname, '..')

/** Tests that take more than some seconds: they try very many cases, or the code under test starts programs. */
const LONG = [
  'audits/comparisons',
  'audits/prompt-refinement',
  'capture/checks/compliance-checks',
  'capture/temporal/',
  'entry/welded',
  'fuzz/',
  'model/',
]

export interface QuickFiles {
  readonly quick: readonly string[]
  /** Files whose tests start programs: the daemon, servers, browsers, containers, compilers. */
  readonly withPrograms: readonly string[]
  readonly long: readonly string[]
}

/** Which test files `npm run test:quick` runs, and which it leaves out. Absolute paths. */
export function quickFiles(): QuickFiles {
  const all = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .toSorted()
    .map((name) => path.join(TESTS, name))
  const withPrograms = all.filter((file) => startsPrograms(file))
  const others = all.filter((file) => !withPrograms.includes(file))
  const long = others.filter((file) => LONG.some((name) => path.relative(TESTS, file).startsWith(name)))
  return { quick: others.filter((file) => !long.includes(file)), withPrograms, long }
}

/** Whether the file, or a file of the tests that it imports, can start a process or looks for a program. */
function startsPrograms(file: string, seen = new Set<string>()): boolean {
  if (seen.has(file)) return false
  seen.add(file)
  const imported = [...readFileSync(file, 'utf8').matchAll(/ from '([^']+)'/gu)].map(([, name = '']) => name)
  if (imported.some((name) => name === 'node:child_process' || name.endsWith('/programs.ts'))) return true
  return imported
    .filter((name) => name.startsWith('.'))
    .map((name) => path.resolve(path.dirname(file), name))
    .filter((target) => target.startsWith(TESTS) && target.endsWith('.ts'))
    .some((target) => startsPrograms(target, seen))
}
