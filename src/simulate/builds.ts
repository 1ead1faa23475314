import type { OptimizationLogEntry } from '../entry/entry.ts'
import { commandsAttempted, type ErrorType, errorLog } from './error-logs.ts'
import {
  type ContextRevision,
  type InstructionVersion,
  LONGEST_GAP_MS,
  LONGEST_STEP_MS,
  type SimulatedModel,
  type SimulationProfile,
} from './profile.ts'
import type { Random } from './random.ts'

/** Outcome of a simulated build, which the audits must derive from its entries. */
export type SimulatedOutcome = 'first_pass' | 'after_rework' | 'failed' | 'abandoned'

/** One step of a simulated build: the entry, stamped with `atMs`, and that moment in milliseconds since the epoch. */
export interface SimulatedStep {
  readonly atMs: number
  readonly entry: OptimizationLogEntry
}

export interface BuildInput {
  readonly random: Random
  /** When the first step starts, in milliseconds since the epoch. */
  readonly startMs: number
  /** The package that is built; part of the paths in its error logs. */
  readonly project: string
  readonly runId: string
  readonly context: ContextRevision
  readonly profile: SimulationProfile
  /** False omits the optional fields (context_token_count to cost_usd), as older pipelines do. */
  readonly extensions?: boolean
}

/**
 * Simulates one build: scaffold, implement, verify, then fix and verify until a verification passes or the profile's
 * fix limit is reached. Yields its steps in order of time; returns the outcome. The result depends only on the input.
 */
export function* simulateBuild(input: BuildInput): Generator<SimulatedStep, SimulatedOutcome> {
  const { random, profile, context } = input
  const model = random.weighted(profile.models, weightOf)
  const write = createStepWriter(input, model)

  const stopsAfter = random.chance(profile.abandonRate) ? random.pick(['scaffold', 'implement']) : undefined
  yield write.agent('scaffold', 'scaffold', random.weighted(profile.instructions.scaffold, weightOf))
  if (stopsAfter === 'scaffold') return 'abandoned'
  const implement = random.weighted(profile.instructions.implement, weightOf)
  yield write.agent('implement', 'implement_v1', implement)
  if (stopsAfter === 'implement') return 'abandoned'

  let failure = firstFailure(random, context, implement.failureScale)
  if (failure === undefined) {
    yield write.passed('initial_verification')
    return 'first_pass'
  }
  const fix = random.weighted(profile.instructions.fix, weightOf)
  let log = drawErrorLog(input, failure)
  yield write.failed('initial_verification', failure, log)
  for (let attempt = 1; attempt <= profile.fixLimit; attempt += 1) {
    yield write.fix(`fix_attempt_${attempt}`, fix, failure, log)
    if (!random.chance(profile.fixFailureRate * fix.failureScale)) {
      yield write.passed(`verification_${attempt}`)
      return 'after_rework'
    }
    failure = random.chance(profile.sameErrorRate) ? failure : anyFailure(random, context)
    log = drawErrorLog(input, failure)
    yield write.failed(`verification_${attempt}`, failure, log)
  }
  return 'failed'
}

const weightOf = ({ weight }: { readonly weight: number }): number => weight

/** Returns the error type of the first verification, or undefined if it passes. */
function firstFailure(random: Random, { errorRates }: ContextRevision, scale: number): ErrorType | undefined {
  let left = random.next()
  for (const [type, rate] of ratesOf(errorRates)) {
    left -= rate * scale
    if (left < 0) return type
  }
  return undefined
}

const anyFailure = (random: Random, { errorRates }: ContextRevision): ErrorType =>
  random.weighted(ratesOf(errorRates), ([, rate]) => rate)[0]

const ratesOf = (rates: ContextRevision['errorRates']): [ErrorType, number][] =>
  Object.entries(rates) as [ErrorType, number][]

const drawErrorLog = ({ random, project, profile: { errorLogChars } }: BuildInput, type: ErrorType): string =>
  errorLog(type, random, project, random.logNormal(errorLogChars.median, errorLogChars.sigma))

type AgentStep = 'scaffold' | 'implement' | 'fix'

/** Creates entries one after another and advances the build's own time. */
function createStepWriter(input: BuildInput, model: SimulatedModel) {
  const { random, profile, context, project, runId, extensions = true } = input
  let nowMs = input.startMs

  /** Advances time by a gap and the step's duration; the gap belongs to no step. */
  const spend = (kind: keyof SimulationProfile['stepDurationMs']): number => {
    const { median, sigma } = profile.stepDurationMs[kind]
    const durationMs = Math.round(Math.min(random.logNormal(median, sigma), LONGEST_STEP_MS))
    nowMs += random.integer(0, LONGEST_GAP_MS) + durationMs
    return durationMs
  }

  const finish = (entry: Omit<OptimizationLogEntry, 'timestamp'>): SimulatedStep => ({
    atMs: nowMs,
    entry: { ...entry, timestamp: new Date(nowMs).toISOString() },
  })

  const agentStep = (
    kind: AgentStep,
    stepName: string,
    instruction: InstructionVersion,
    answers?: { readonly failure: ErrorType; readonly log: string },
  ): SimulatedStep => {
    const durationMs = spend(kind)
    const logChars = answers?.log.length ?? 0
    const { median, sigma } = profile.completionTokens[kind]
    // A longer log needs a longer answer, but far from proportionally.
    const base = random.logNormal(median, sigma) + 0.3 * Math.min(logChars, 20_000)
    const scale = instruction.completionScale * (answers ? spikeFactor(profile, nowMs, answers.failure) : 1)
    const completion = Math.max(1, Math.round(base * scale))
    const instructionTokens = instruction.tokens + random.integer(0, 24) + Math.ceil(logChars / 3)
    const { fixedTokens, historyPerCompletionToken } = profile.agentPrompt
    const other = fixedTokens + Math.round(historyPerCompletionToken * completion)
    const prompt = context.tokens + instructionTokens + other
    return finish({
      workflow_run_id: runId,
      step_name: stepName,
      prompt_token_count: prompt,
      completion_token_count: completion,
      total_token_cost: prompt + completion,
      context_file_hash: context.hash,
      validation_status: 'N/A',
      ...(answers && { error_log_size_chars: logChars, rework_cost_factor: completion / logChars }),
      files_touched: filesTouched(random, kind, project),
      ...(extensions && {
        context_token_count: context.tokens,
        instruction_token_count: instructionTokens,
        instruction_version: instruction.name,
        model: model.name,
        duration_ms: durationMs,
        cost_usd: costUsd(model, prompt, completion),
      }),
    })
  }

  const verification = (stepName: string, result: Partial<OptimizationLogEntry>, failure?: ErrorType) => {
    const durationMs = spend('verification')
    return finish({
      workflow_run_id: runId,
      step_name: stepName,
      context_file_hash: context.hash,
      ...result,
      commands_attempted: commandsAttempted(failure),
      ...(extensions && { duration_ms: durationMs }),
    })
  }

  return {
    agent: (kind: 'scaffold' | 'implement', stepName: string, instruction: InstructionVersion) =>
      agentStep(kind, stepName, instruction),
    fix: (stepName: string, instruction: InstructionVersion, failure: ErrorType, log: string) =>
      agentStep('fix', stepName, instruction, { failure, log }),
    passed: (stepName: string) => verification(stepName, { validation_status: 'pass' }),
    failed: (stepName: string, failure: ErrorType, log: string) =>
      verification(
        stepName,
        {
          validation_status: 'fail',
          validation_error_type: failure,
          error_log_size_chars: log.length,
          error_full: log,
        },
        failure,
      ),
  }
}

function spikeFactor({ spike }: SimulationProfile, atMs: number, failure: ErrorType): number {
  if (spike === undefined || atMs < spike.fromMs || atMs >= (spike.untilMs ?? Infinity)) return 1
  return spike.errorTypes === undefined || spike.errorTypes.includes(failure) ? spike.factor : 1
}

/** Rounds US dollars to a millionth, the precision of prices per million tokens. */
const costUsd = (model: SimulatedModel, prompt: number, completion: number): number =>
  Math.round(prompt * model.usdPerMillionPromptTokens + completion * model.usdPerMillionCompletionTokens) /
  1e6

function filesTouched(random: Random, kind: AgentStep, project: string): string[] {
  if (kind === 'scaffold')
    return ['package.json', 'tsconfig.json', 'jest.config.js', '.eslintrc.js', 'README.md']
  const sources = ['src/index.ts', 'src/types.ts', `src/${project}.ts`, 'src/client.ts', 'src/client.test.ts']
  if (kind === 'implement') return sources.slice(0, random.integer(2, sources.length))
  const first = random.integer(1, 3)
  return sources.slice(first, first + random.integer(1, 2))
}
