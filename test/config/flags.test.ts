import { constants } from 'node:buffer'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { assetsDeclaration } from '../../src/commands/assets-flags.ts'
import { backfillDeclaration } from '../../src/commands/backfill-flags.ts'
import { checkDeclaration } from '../../src/commands/check-flags.ts'
import { demoDeclaration } from '../../src/commands/demo-flags.ts'
import { reportDeclaration } from '../../src/commands/report-flags.ts'
import { simulateDeclaration } from '../../src/commands/simulate-flags.ts'
import { parseWatchConfig, watchDeclaration } from '../../src/commands/watch-flags.ts'
import { workerDeclaration } from '../../src/commands/worker-flags.ts'
import { flag, optionsOf, parseFlags, takeSwitchValues } from '../../src/config/flags.ts'
import { UsageError } from '../../src/config/usage-error.ts'

const COMMANDS = [
  watchDeclaration,
  checkDeclaration,
  backfillDeclaration,
  reportDeclaration,
  demoDeclaration,
  simulateDeclaration,
  workerDeclaration,
  assetsDeclaration,
]
/** What some command cannot do without. */
const REQUIRED: Readonly<Record<string, unknown>> = {
  roots: ['/b'],
  paths: ['/b'],
  directory: '/b',
  out: '/o',
}

const switches = COMMANDS.flatMap(({ name, flags }) => {
  const required = Object.fromEntries(Object.entries(REQUIRED).filter(([key]) => key in flags.shape))
  return optionsOf(flags)
    .filter((option) => option.isBoolean())
    .map((option) => ({
      name: `${name} --${option.name()}`,
      key: option.attributeName(),
      variable: /env: (\w+)/u.exec(option.description)?.[1],
      parse: (given: object, env = {}): Record<string, unknown> =>
        parseFlags(flags, { ...required, ...given }, env),
    }))
})

test('there are switches to test, some of them with a variable', () => {
  expect(switches.length).toBeGreaterThan(5)
  expect(switches.filter(({ variable }) => variable !== undefined).length).toBeGreaterThan(4)
})

test.each(switches)(
  '$name takes true, yes and 1, and false, no and 0, and nothing else',
  ({ key, parse }) => {
    for (const text of ['true', 'TRUE', 'Yes', '1', true]) expect(parse({ [key]: text })[key]).toBe(true)
    for (const text of ['false', 'False', 'NO', '0', false]) expect(parse({ [key]: text })[key]).toBe(false)
    for (const text of ['', 'on', 'maybe', '2', ' true'])
      expect(() => parse({ [key]: text })).toThrow(UsageError)
    expect(parse({})[key]).toBe(false)
  },
)

test.each(switches.filter(({ variable }) => variable !== undefined))(
  '$variable means what it says, and nothing when it is empty',
  ({ key, variable = '', parse }) => {
    expect(parse({}, { [variable]: 'yes' })[key]).toBe(true)
    expect(parse({}, { [variable]: 'No' })[key]).toBe(false)
    expect(parse({}, { [variable]: '' })[key]).toBe(false)
    expect(parse({ [key]: false }, { [variable]: 'true' })[key]).toBe(false)
    expect(() => parse({}, { [variable]: 'maybe' })).toThrow(`${variable} (--`)
  },
)

test('a switch with a value is taken out of the command line, and other arguments are not', () => {
  const taken = takeSwitchValues(watchDeclaration.flags, [
    '--poll=No',
    '/builds',
    '--state=x',
    '--follow-symlinks',
    '--',
    '--poll=1',
  ])
  expect(taken).toEqual({
    rest: ['/builds', '--state=x', '--follow-symlinks', '--', '--poll=1'],
    values: { poll: 'No' },
  })
})

test('an empty variable is absent, and a flag takes precedence over its variable', () => {
  const listen = (given: object, env: Record<string, string>): unknown =>
    parseFlags(watchDeclaration.flags, { roots: ['/b'], ...given }, env).listen
  expect(listen({}, { AUDIT_LISTEN: '' })).toEqual({ host: '127.0.0.1', port: 9464 })
  expect(listen({}, { AUDIT_LISTEN: ':1' })).toEqual({ host: '0.0.0.0', port: 1 })
  expect(listen({ listen: ':2' }, { AUDIT_LISTEN: ':1' })).toEqual({ host: '0.0.0.0', port: 2 })
})

test('a variable holds several values, one per line or as its flag says', () => {
  const { phase } = parseFlags(
    watchDeclaration.flags,
    { roots: ['/b'] },
    { AUDIT_PHASE: 'verify=^qa\nother=x\n' },
  )
  expect(phase.map((rule) => rule.phase)).toEqual(['verify', 'other'])
  const { reportRoots } = parseFlags(workerDeclaration.flags, {}, { AUDIT_REPORT_ROOTS: '/a:/b::' })
  expect(reportRoots).toEqual(['/a', '/b'])
})

test('help is made from the schema: the default and the variable stand there once', () => {
  const schema = z.strictObject({
    scanInterval: flag(
      { help: 'How often.', value: '<duration>', env: 'AUDIT_X' },
      z.string().prefault('10s'),
    ),
  })
  const [option] = optionsOf(schema)
  expect(option?.flags).toBe('--scan-interval <duration>')
  expect(option?.description).toBe('How often. (default: 10s, env: AUDIT_X)')
})

test.each([
  [{ buildTimeout: 'soon' }, '--build-timeout: "soon" is not a duration'],
  [
    { newSeriesHold: '99999999999999999999d' },
    '--new-series-hold: "99999999999999999999d" is not a duration',
  ],
  [{ maxLineBytes: '0' }, '--max-line-bytes: "0" is not a size'],
  [{ maxLineBytes: '512MiB' }, '--max-line-bytes: "512MiB" is not a size'],
  [{ fileName: '*.jsonl' }, '--file-name: "*.jsonl" is not a file name'],
  [{ fileName: 'b1/audit_trace.jsonl' }, '--file-name: "b1/audit_trace.jsonl" is not a file name'],
  [{ fileName: '..' }, '--file-name: ".." is not a file name'],
  [{ fileName: 'x'.repeat(256) }, 'is not a file name'],
  [{ maxSteps: '0' }, '--max-steps: "0" is not a whole number from 1 to 100000'],
  [{ maxSteps: '' }, '--max-steps: "" is not a whole number'],
  [{ phase: ['qa=x'] }, '--phase: "qa=x" is not a rule PHASE=REGEX with a phase of scaffold,'],
  [{ phase: ['verify=('] }, '--phase: "verify=(" has a bad pattern: '],
  [
    { projectFromPath: '(' },
    '--project-from-path: "(" is not a regular expression: Invalid regular expression',
  ],
  [
    { projectFromPath: '/builds/([^/]+)/' },
    '--project-from-path: "/builds/([^/]+)/" has no group named project. Write one, such as',
  ],
  [{ maxProjects: '0' }, '--max-projects: "0" is not a whole number from 1 to 100000'],
  [{ roots: [] }, '<path...>: at least one is needed'],
])('%j is refused with the flag, the value and what is expected', (flags, message) => {
  const refused = () => parseWatchConfig({ roots: ['/builds'], ...flags })
  expect(refused).toThrow(UsageError)
  expect(refused).toThrow(message)
})

test('the longest line that is accepted fits into a string, with its newline', () => {
  const { maxLineBytes } = parseWatchConfig({ roots: ['/builds'], maxLineBytes: '511MiB' })
  expect(maxLineBytes).toBeLessThan(constants.MAX_STRING_LENGTH)
})

test('flags that share a field have help of their own', () => {
  const field = z.string()
  const flags = z.strictObject({
    a: flag({ value: '<a>', help: 'First.' }, field),
    b: flag({ value: '<b>', help: 'Second.' }, field),
  })
  expect(optionsOf(flags).map(({ description }) => description)).toEqual(['First.', 'Second.'])
})
