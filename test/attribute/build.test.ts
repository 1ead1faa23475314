import { expect, test } from 'vitest'
import { attribute, expire, newBuild, type AttributedEntry } from '../../src/attribute/build.ts'
import { createPhaseOf, DEFAULT_PHASE_RULES } from '../../src/attribute/phase.ts'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { parseLine } from '../../src/entry/parse.ts'
import { entry, HASH_A, HASH_B } from '../setup/entries.ts'

const phaseOf = createPhaseOf()
const HOUR = 3_600_000
const NOW = Date.parse('2026-11-20T12:00:00Z')

/** Runs entries through one build; entries without a time follow each other by a minute. */
function build(...steps: Partial<OptimizationLogEntry>[]) {
  const state = newBuild('run-1')
  const start = Date.parse('2026-11-20T11:00:00.000Z')
  const attributed: AttributedEntry[] = steps.map((fields, i) => {
    const timestamp = new Date(start + i * 60_000).toISOString()
    const parsed = parseLine(JSON.stringify(entry({ timestamp, ...fields })))
    if (!parsed.ok) throw new Error(parsed.fault.cause)
    return attribute(state, parsed.entry, phaseOf(parsed.entry.step), { nowMs: NOW, firstPass: true })
  })
  return { state, attributed }
}

const scaffold = { step_name: 'scaffold' }
const fail = (type: string, more = {}) => ({
  step_name: 'initial_verification',
  validation_status: 'fail' as const,
  validation_error_type: type,
  ...more,
})
const fix = { step_name: 'fix_attempt_1' }
const implementPassed = { step_name: 'implement_v1', validation_status: 'pass' as const }
const fixPassed = { ...fix, validation_status: 'pass' as const }
const pass = { step_name: 'verification_1', validation_status: 'pass' as const }

test.each([
  ['scaffold', 'scaffold'],
  ['scaffolding_complete', 'scaffold'],
  ['implement_v1', 'implement'],
  ['fix_attempt_1', 'rework'],
  ['repair_attempt_2', 'rework'],
  ['initial_verification', 'verify'],
  ['compliance_checks', 'verify'],
  ['validate', 'verify'],
  ['workflow_start', 'other'],
])('the step %s belongs to %s', (step, phase) => {
  expect(phaseOf(step)).toBe(phase)
})

test('rules given by the user are asked first', () => {
  const custom = createPhaseOf([{ pattern: /^qa/, phase: 'verify' }, ...DEFAULT_PHASE_RULES])
  expect([custom('qa_run'), custom('fix_1')]).toEqual(['verify', 'rework'])
})

test('a rework entry without an error type takes the latest failing validation’s', () => {
  const { attributed } = build(fail('TSC_ERROR'), fix, fail('JEST_FAILURE'), fix, {
    ...fix,
    validation_error_type: 'OWN',
  })
  expect(attributed.map(({ errorType }) => errorType)).toEqual([
    'TSC_ERROR',
    'TSC_ERROR',
    'JEST_FAILURE',
    'JEST_FAILURE',
    'OWN',
  ])
})

test('other entries do not take over an error type', () => {
  expect(build(fail('TSC_ERROR'), scaffold).attributed[1]?.errorType).toBe('')
})

test('an entry without a context hash takes the build’s latest known', () => {
  const hashes = [undefined, HASH_A, undefined, HASH_B, 'TODO', undefined]
  const { attributed } = build(
    ...hashes.map((hash) => (hash === undefined ? scaffold : { ...scaffold, context_file_hash: hash })),
  )
  expect(attributed.map(({ contextFileHash }) => contextFileHash)).toEqual([
    undefined,
    HASH_A,
    HASH_A,
    HASH_B,
    HASH_B,
    HASH_B,
  ])
})

test('the first passing validation closes a build as first_pass', () => {
  const { attributed } = build(scaffold, pass)
  expect(attributed.map(({ closed }) => closed?.outcome)).toEqual([undefined, 'first_pass'])
})

test('a pass after a failing validation is after_rework, whatever the phase of either', () => {
  expect(build(fail('TSC_ERROR'), fix, pass).state.outcome).toBe('after_rework')
  expect(build({ ...fix, validation_status: 'fail' }, pass).state.outcome).toBe('after_rework')
})

test('a verification that passes after rework closes the build as after_rework', () => {
  expect(build(fix, pass).state.outcome).toBe('after_rework')
  expect(build(fixPassed).state.outcome).toBeUndefined()
})

test('a build closes once; later entries are late, never a second build', () => {
  const { attributed, state } = build(pass, { ...scaffold, total_token_cost: 5 }, fail('TSC_ERROR'), pass)
  expect(attributed.map(({ closed }) => closed?.outcome)).toEqual([
    'first_pass',
    undefined,
    undefined,
    undefined,
  ])
  expect(attributed.map(({ late }) => late?.outcome)).toEqual([
    undefined,
    'first_pass',
    'first_pass',
    'first_pass',
  ])
  expect(expire(state, Date.parse('2027-01-01T00:00:00Z'), HOUR)).toBeUndefined()
})

const idle = (...steps: Partial<OptimizationLogEntry>[]) =>
  expire(build(...steps).state, NOW + HOUR, HOUR)?.outcome

test('only a passing verification closes a build at once; a pass of another step is that step’s own', () => {
  const { attributed } = build(
    { ...scaffold, validation_status: 'pass' },
    implementPassed,
    fail('TSC_ERROR'),
    fixPassed,
    pass,
  )
  expect(attributed.map(({ closed }) => closed?.outcome)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    'after_rework',
  ])
  expect(attributed[4]?.closed?.durationSeconds).toBe(240)
})

test('an idle build closes as failed if a validation failed, else as abandoned', () => {
  expect(idle(scaffold, fail('TSC_ERROR'))).toBe('failed')
  expect(idle(scaffold)).toBe('abandoned')
  expect(idle({ ...scaffold, validation_status: 'pass' })).toBe('abandoned')
})

test('an idle build whose latest verdict is the pass of an implement or rework step closes as passed', () => {
  expect(idle(implementPassed)).toBe('first_pass')
  expect(idle(implementPassed, { step_name: 'notify' })).toBe('first_pass')
  expect(idle(fail('TSC_ERROR'), fixPassed)).toBe('after_rework')
  expect(idle(fixPassed)).toBe('after_rework')
})

test('a failure or a verification after the passed step takes its verdict away', () => {
  expect(idle(implementPassed, fail('TSC_ERROR'))).toBe('failed')
  expect(idle(implementPassed, { step_name: 'verification_1', validation_status: 'N/A' })).toBe('abandoned')
})

test('a build is idle since the later of its last entry’s time and the moment that was read', () => {
  const { state } = build(scaffold)
  const entryMs = Date.parse('2026-11-20T11:00:00Z')
  expect(expire({ ...state }, entryMs + HOUR, HOUR)).toBeUndefined()
  expect(expire({ ...state }, entryMs + HOUR + 1, HOUR)?.outcome).toBe('abandoned')
  expect(expire({ ...state, idleSinceMs: entryMs + HOUR }, entryMs + HOUR + 1, HOUR)).toBeUndefined()
})

test('an entry dated in the future does not keep its build open', () => {
  const future = { ...scaffold, timestamp: '2099-01-01T00:00:00.000Z' }
  expect(expire(build(future).state, NOW + HOUR, HOUR)).toBeUndefined()
  expect(expire(build(future).state, NOW + HOUR + 1, HOUR)?.outcome).toBe('abandoned')
})

test('the log that a fix answers is the failing entry’s: its size, else the length of its text', () => {
  expect(build(fail('A', { error_log_size_chars: 600 }), fix).attributed[1]?.errorLogChars).toBe(600)
  expect(build(fail('A', { error_full: 'x'.repeat(300) }), fix).attributed[1]?.errorLogChars).toBe(300)
  expect(
    build(fail('A', { error_log_size_chars: 600 }), { ...fix, error_log_size_chars: 7 }).attributed[1]
      ?.errorLogChars,
  ).toBe(7)
})

test('the rework cost factor is completion tokens over log characters; the parts decide', () => {
  const factor = (more: Partial<OptimizationLogEntry>) =>
    build(fail('A', { error_log_size_chars: 200 }), { ...fix, ...more }).attributed[1]
  expect(factor({ completion_token_count: 100 })?.reworkCostFactor).toBe(0.5)
  expect(factor({ completion_token_count: 100, rework_cost_factor: 9 })).toMatchObject({
    reworkCostFactor: 0.5,
    warning: 'rework_cost_factor_mismatch',
  })
  expect(factor({ completion_token_count: 100, rework_cost_factor: 0.5 })?.warning).toBeUndefined()
  expect(factor({ rework_cost_factor: 9 })?.reworkCostFactor).toBe(9)
  expect(factor({ completion_token_count: 100, error_log_size_chars: 0 })?.reworkCostFactor).toBeUndefined()
})

test('a step lasts as long as it says, else since the build’s previous entry', () => {
  const { attributed } = build(scaffold, scaffold, { ...scaffold, duration_ms: 1500 })
  expect(attributed.map(({ durationSeconds }) => durationSeconds)).toEqual([undefined, 60, 1.5])
})

test('a build knows its tokens, rework steps, duration and prompt versions when it closes', () => {
  const { attributed } = build(
    { ...scaffold, total_token_cost: 10, duration_ms: 30_000, instruction_version: 's1' },
    fail('TSC_ERROR'),
    { ...fix, total_token_cost: 5, instruction_version: 'f1' },
    pass,
  )
  expect(attributed.at(-1)?.closed).toMatchObject({
    outcome: 'after_rework',
    tokens: 15,
    reworkSteps: 1,
    durationSeconds: 210,
    instructions: ['scaffold\0s1', 'rework\0f1'],
  })
})

test('builds with the same prompt versions name each of them once, however often they use them', () => {
  const versions = (...used: string[]) => {
    const steps = used.map((instruction_version) => ({ ...fix, instruction_version }))
    return build(...steps, pass).attributed.at(-1)?.closed?.instructions
  }
  for (let i = 0; i < 3; i++) {
    expect(versions('f1', 'f2', 'f1')).toEqual(['rework\0f1', 'rework\0f2'])
    expect(versions('f1')).toEqual(['rework\0f1'])
    expect(versions('f2', 'f1')).toEqual(['rework\0f2', 'rework\0f1'])
  }
})

test('prompt versions are complete also if no two builds have the same', () => {
  for (let i = 0; i < 3_000; i++) {
    const names = [`a${i}`, `b${i}`]
    const { attributed } = build(
      ...names.map((instruction_version) => ({ ...fix, instruction_version })),
      pass,
    )
    expect(attributed.at(-1)?.closed?.instructions).toEqual(names.map((name) => `rework\0${name}`))
  }
})
