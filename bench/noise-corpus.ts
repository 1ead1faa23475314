import fs from 'node:fs'
import path from 'node:path'
import { simulateBuild } from '../src/simulate/builds.ts'
import {
  CONTEXT_REVISIONS,
  DEFAULT_PROFILE,
  withFirstPassRate,
  type ContextRevision,
  type InstructionVersion,
  type SimulationProfile,
} from '../src/simulate/profile.ts'
import { PROJECTS } from '../src/simulate/projects.ts'
import { createRandom, type Random } from '../src/simulate/random.ts'

/** Traces without any difference between revisions or prompt versions: every finding of a report on them is false. */
export interface NoiseOptions {
  readonly seed: string
  readonly days: number
  /** Each day, so many batches, each of one project. */
  readonly batchesPerDay: number
  readonly buildsPerBatch: number
  /**
   * How much the builds of a batch share, as the standard deviation of a logarithm: each batch multiplies its failure
   * rates and its completion tokens by a factor of its own. 0: builds are independent of each other.
   */
  readonly luck: number
  /** Whether a prompt version is drawn for each build or for each batch. */
  readonly versionsBy: 'build' | 'batch'
  /** Multiplies the failure rates of the second revision: above 1, there is a difference to be found. Default 1. */
  readonly effect?: number
}

/** One nightly run of one project, for 24 nights. */
export const NIGHTLY = {
  days: 24,
  batchesPerDay: 1,
  buildsPerBatch: 12,
  luck: 0.5,
  versionsBy: 'build',
} as const
/** As many builds, independent of each other, spread evenly. */
export const INDEPENDENT = {
  days: 24,
  batchesPerDay: 12,
  buildsPerBatch: 1,
  luck: 0,
  versionsBy: 'build',
} as const

const START_MS = Date.parse('2026-09-01T00:00:00Z')
const DAY_MS = 86_400_000
/** Builds of a batch start this long after each other. */
const BETWEEN_BUILDS_MS = 8 * 60_000

const version = (name: string): InstructionVersion => ({
  name,
  tokens: 100,
  weight: 1,
  completionScale: 1,
  failureScale: 1,
})

/** Writes the corpus below `directory`: one trace for each day, two revisions of GEMINI.md for half of the days each. */
export function writeNoise(directory: string, options: NoiseOptions): void {
  const { seed, days, batchesPerDay } = options
  for (let day = 0; day < days; day++) {
    const lines: string[] = []
    for (let batch = 0; batch < batchesPerDay; batch++) {
      const random = createRandom(`${seed}/${day}/${batch}`)
      const startMs = START_MS + (day + batch / batchesPerDay) * DAY_MS
      lines.push(batchLines({ random, id: `${day}-${batch}`, startMs, late: day >= days / 2 }, options))
    }
    const file = path.join(directory, `${day}`, 'audit_trace.jsonl')
    fs.mkdirSync(path.dirname(file), { recursive: true })
    fs.writeFileSync(file, lines.join(''))
  }
}

interface Batch {
  readonly random: Random
  readonly id: string
  readonly startMs: number
  readonly late: boolean
}

function batchLines({ random, id, startMs, late }: Batch, options: NoiseOptions): string {
  const profile = profileOf(random, options)
  const context = contextOf(random, options, late)
  const project = random.pick(PROJECTS)
  const lines: string[] = []
  for (let build = 0; build < options.buildsPerBatch; build++) {
    const steps = simulateBuild({
      random: createRandom(`${options.seed}/${id}/${build}`),
      startMs: startMs + build * BETWEEN_BUILDS_MS,
      project,
      runId: `${project}-${id}-${build}`,
      context,
      profile,
    })
    for (const { entry } of steps) lines.push(`${JSON.stringify(entry)}\n`)
  }
  return lines.join('')
}

function contextOf(random: Random, { luck, effect = 1 }: NoiseOptions, late: boolean): ContextRevision {
  const [first, second] = CONTEXT_REVISIONS
  if (first === undefined || second === undefined) throw new Error('two revisions are needed')
  const failures = 0.4 * random.logNormal(1, luck) * (late ? effect : 1)
  return { ...withFirstPassRate(first, 1 - Math.min(0.95, failures)), hash: (late ? second : first).hash }
}

function profileOf(random: Random, { luck, versionsBy }: NoiseOptions): SimulationProfile {
  const scale = random.logNormal(1, luck / 2)
  const { scaffold, implement, fix } = DEFAULT_PROFILE.completionTokens
  const sized = <T extends { readonly median: number }>(size: T): T => ({
    ...size,
    median: size.median * scale,
  })
  const some = (...names: readonly string[]): InstructionVersion[] =>
    (versionsBy === 'build' ? names : [random.pick(names)]).map(version)
  return {
    ...DEFAULT_PROFILE,
    instructions: { scaffold: [version('scaffold')], implement: some('a', 'b'), fix: some('x', 'y') },
    completionTokens: { scaffold: sized(scaffold), implement: sized(implement), fix: sized(fix) },
    fixFailureRate: Math.min(0.95, DEFAULT_PROFILE.fixFailureRate * random.logNormal(1, luck)),
  }
}
