import { describe, expect, it } from 'vitest'
import type { OptimizationLogEntry } from '../../src/entry/entry.ts'
import { type BuildInput, simulateBuild } from '../../src/simulate/builds.ts'
import { ERROR_TYPES } from '../../src/simulate/error-logs.ts'
import {
  CONTEXT_REVISIONS,
  type ContextRevision,
  DEFAULT_PROFILE,
  firstPassRate,
  LONGEST_GAP_MS,
  LONGEST_STEP_MS,
  withFirstPassRate,
} from '../../src/simulate/profile.ts'
import { createRandom } from '../../src/simulate/random.ts'
import { outcomeOf } from './outcome.ts'

const START = Date.UTC(2026, 8, 1)
const [FIRST, SECOND] = CONTEXT_REVISIONS as [ContextRevision, ContextRevision]

function play(seed: string, changes: Partial<BuildInput> = {}) {
  const steps = simulateBuild({
    random: createRandom(seed),
    startMs: START,
    project: 'lru-cache',
    runId: seed,
    context: FIRST,
    profile: DEFAULT_PROFILE,
    ...changes,
  })
  const played: { atMs: number; entry: OptimizationLogEntry }[] = []
  let step = steps.next()
  for (; !step.done; step = steps.next()) played.push(step.value)
  return { steps: played, entries: played.map(({ entry }) => entry), outcome: step.value }
}

const playMany = (count: number, changes: Partial<BuildInput> = {}) =>
  Array.from({ length: count }, (_, index) => play(`many/${index}`, changes))

const entriesOf = (builds: ReturnType<typeof playMany>) => builds.flatMap(({ entries }) => entries)
const isFix = ({ step_name }: OptimizationLogEntry) => step_name.startsWith('fix_attempt_')
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

describe('a simulated build', () => {
  it('is the same for the same seed, and another for another seed', () => {
    expect(play('a')).toEqual(play('a'))
    expect(play('a', { runId: 'r' }).entries).not.toEqual(play('b', { runId: 'r' }).entries)
  })

  it('has token counts that add up in every step of an agent, and none in a verification', () => {
    const entries = entriesOf(playMany(300))
    const [spending, verifying] = [
      entries.filter(({ step_name }) => !step_name.includes('verification')),
      entries.filter(({ step_name }) => step_name.includes('verification')),
    ]
    expect(spending.length).toBeGreaterThan(600)
    for (const entry of spending) {
      const parts = entry.context_token_count! + entry.instruction_token_count!
      const { fixedTokens, historyPerCompletionToken } = DEFAULT_PROFILE.agentPrompt
      const other = fixedTokens + Math.round(historyPerCompletionToken * entry.completion_token_count!)
      expect(entry.prompt_token_count).toBe(parts + other)
      expect(entry.total_token_cost).toBe(entry.prompt_token_count! + entry.completion_token_count!)
      expect(entry.context_token_count).toBe(FIRST.tokens)
      expect(entry.completion_token_count).toBeGreaterThan(0)
      expect(entry.cost_usd).toBeGreaterThan(0)
      expect(entry.validation_status).toBe('N/A')
    }
    for (const entry of verifying) {
      expect(entry).not.toHaveProperty('total_token_cost')
      expect(entry).not.toHaveProperty('prompt_token_count')
      expect(entry.validation_status).toMatch(/^(pass|fail)$/)
    }
  })

  it('states the size of the error log it holds, and each fix that of the log it answers', () => {
    const builds = playMany(300)
    const failing = entriesOf(builds).filter(({ validation_status }) => validation_status === 'fail')
    expect(failing.length).toBeGreaterThan(100)
    for (const entry of failing) {
      expect(entry.error_log_size_chars).toBe(entry.error_full!.length)
      expect(ERROR_TYPES).toContain(entry.validation_error_type)
    }
    const answers = builds.flatMap(({ entries }) =>
      entries.flatMap((fix, index) => (isFix(fix) ? [{ fix, answered: entries[index - 1]! }] : [])),
    )
    expect(answers.length).toBeGreaterThan(100)
    for (const { fix, answered } of answers) {
      expect(answered.validation_status).toBe('fail')
      expect(fix.error_log_size_chars).toBe(answered.error_full!.length)
      expect(fix.instruction_token_count).toBeGreaterThan(fix.error_log_size_chars! / 4)
      expect(fix.rework_cost_factor).toBe(fix.completion_token_count! / fix.error_log_size_chars!)
    }
  })

  it('writes times in order, each step after the last by no more than its own duration and the longest gap', () => {
    for (const { steps } of playMany(200)) {
      let before = START
      for (const { atMs, entry } of steps) {
        expect(Date.parse(entry.timestamp)).toBe(atMs)
        const gap = atMs - before - entry.duration_ms!
        expect(entry.duration_ms).toBeLessThanOrEqual(LONGEST_STEP_MS)
        expect(gap).toBeGreaterThanOrEqual(0)
        expect(gap).toBeLessThanOrEqual(LONGEST_GAP_MS)
        before = atMs
      }
    }
  })

  it('ends in each of the four outcomes, which its entries alone show', () => {
    const seen = new Map<string, number>()
    for (const { entries, outcome } of playMany(500)) {
      expect(outcomeOf(entries)).toBe(outcome)
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
    }
    expect([...seen.keys()].sort()).toEqual(['abandoned', 'after_rework', 'failed', 'first_pass'])
  })

  it('is given up after the fix limit', () => {
    const profile = { ...DEFAULT_PROFILE, fixFailureRate: 5, abandonRate: 0, fixLimit: 2 }
    const context = withFirstPassRate(FIRST, -1)
    const { entries, outcome } = play('hopeless', { profile, context })
    expect(outcome).toBe('failed')
    expect(entries.map(({ step_name }) => step_name)).toEqual([
      'scaffold',
      'implement_v1',
      'initial_verification',
      'fix_attempt_1',
      'verification_1',
      'fix_attempt_2',
      'verification_2',
    ])
  })

  it('shows every error type, instruction version and model', () => {
    const entries = entriesOf(playMany(500))
    const values = (key: 'validation_error_type' | 'instruction_version' | 'model') =>
      [...new Set(entries.flatMap((entry) => entry[key] ?? []))].sort()
    expect(values('validation_error_type')).toEqual([...ERROR_TYPES].sort())
    const { scaffold, implement, fix } = DEFAULT_PROFILE.instructions
    expect(values('instruction_version')).toEqual(
      [...scaffold, ...implement, ...fix].map(({ name }) => name).sort(),
    )
    expect(values('model')).toEqual(DEFAULT_PROFILE.models.map(({ name }) => name).sort())
  })

  it('leaves out the optional fields on request', () => {
    const extensions = /context_token_count|instruction_|"model"|duration_ms|cost_usd/
    expect(JSON.stringify(play('a').entries)).toMatch(extensions)
    expect(JSON.stringify(play('a', { extensions: false }).entries)).not.toMatch(extensions)
  })
})

describe('the knobs', () => {
  const initialTypes = (context: ContextRevision) =>
    entriesOf(playMany(4_000, { context, profile: neutral })).filter(
      ({ step_name }) => step_name === 'initial_verification',
    )
  const neutral = {
    ...DEFAULT_PROFILE,
    instructions: {
      ...DEFAULT_PROFILE.instructions,
      implement: [{ name: 'plain', tokens: 50, weight: 1, completionScale: 1, failureScale: 1 }],
    },
  }
  const share = (entries: readonly OptimizationLogEntry[], is: (entry: OptimizationLogEntry) => boolean) =>
    entries.filter(is).length / entries.length

  it('halve the type errors from the first to the second revision of GEMINI.md', () => {
    const tscShare = (context: ContextRevision) =>
      share(initialTypes(context), (entry) => entry.validation_error_type === 'TSC_ERROR')
    expect(tscShare(FIRST)).toBeCloseTo(0.24, 1)
    expect(tscShare(SECOND) / tscShare(FIRST)).toBeCloseTo(0.5, 1)
  })

  it('set the first-pass rate', () => {
    const context = withFirstPassRate(FIRST, 0.8)
    expect(firstPassRate(context)).toBeCloseTo(0.8, 10)
    expect(share(initialTypes(context), (entry) => entry.validation_status === 'pass')).toBeCloseTo(0.8, 1)
  })

  it('make rework more expensive from a given moment on, for the given error types only', () => {
    const fromMs = START + 100
    const spiking = (changes: object) => ({
      ...DEFAULT_PROFILE,
      spike: { fromMs, factor: 4, ...changes },
    })
    const completions = (profile: typeof DEFAULT_PROFILE, startMs = START) =>
      entriesOf(playMany(200, { profile, startMs }))
        .filter(isFix)
        .map((entry) => entry.completion_token_count!)
    const usual = sum(completions(DEFAULT_PROFILE))
    expect(sum(completions(spiking({}))) / usual).toBeCloseTo(4, 2)
    expect(completions(spiking({}), START - 86_400_000)).toEqual(completions(DEFAULT_PROFILE))
    expect(completions(spiking({ untilMs: fromMs + 1 }))).toEqual(completions(DEFAULT_PROFILE))
    const ofOneType = sum(completions(spiking({ errorTypes: ['TSC_ERROR'] }))) / usual
    expect(ofOneType).toBeGreaterThan(1.5)
    expect(ofOneType).toBeLessThan(3.9)
  })

  it('set the size of the error logs, up to millions of characters', () => {
    const profile = { ...DEFAULT_PROFILE, errorLogChars: { median: 2_000_000, sigma: 0 } }
    const failing = entriesOf(playMany(5, { profile, context: withFirstPassRate(FIRST, 0) })).filter(
      ({ validation_status }) => validation_status === 'fail',
    )
    expect(failing.length).toBeGreaterThan(0)
    for (const { error_full } of failing) {
      expect(error_full!.length).toBeGreaterThanOrEqual(2_000_000)
      expect(error_full!.length).toBeLessThan(2_002_000)
    }
  })
})
