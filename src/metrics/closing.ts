import type { ClosedBuild, Outcome } from '../attribute/build.ts'
import { getOrInsert } from './get-or-insert.ts'
import type { Contexts } from './contexts.ts'
import type { Ledger, Series } from './ledger.ts'
import type { Overflow } from './overflow.ts'

export interface ClosingDeps {
  readonly ledger: Ledger
  readonly contexts: Contexts
  readonly overflow: Overflow
}

export interface Closing {
  /** Counts a build that has closed. */
  closed(build: ClosedBuild, nowMs: number): void
  /** Adds the tokens of an entry that came after its build had closed. */
  late(build: ClosedBuild, tokens: number, nowMs: number): void
}

/** Everything that a closing build adds to. */
interface ClosingSeries {
  readonly builds: Series
  readonly tokens: Series
  readonly tokenCost: Series
  readonly duration: Series
  readonly reworkSteps: Series
}

/** Bounds the memory that hostile label values can take. */
const MAX_PROMPT_VERSIONS = 10_000

/** Turns closed builds into additions to the ledger. */
export function createClosing({ ledger, contexts, overflow }: ClosingDeps): Closing {
  /** By outcome, context and project: hashing three short strings is cheaper than joining them first. */
  const closings = new Map<Outcome, Map<string, Map<string, ClosingSeries>>>()
  const instructionClosings = new Map<Outcome, Map<string, Series>>()

  function closed(build: ClosedBuild, nowMs: number): void {
    const { outcome, tokens } = build
    const project = projectOf(build)
    const context = contextOf(build, project, nowMs)
    const series = closingSeries(outcome, context, project)
    ledger.add(series.builds, 1)
    ledger.add(series.tokens, tokens)
    ledger.observe(series.tokenCost, tokens)
    if (build.durationSeconds >= 0) ledger.observe(series.duration, build.durationSeconds)
    ledger.observe(series.reworkSteps, build.reworkSteps)
    for (const pair of build.instructions) ledger.add(instructionBuilds(pair, outcome), 1)
  }

  function closingSeries(outcome: Outcome, context: string, project: string): ClosingSeries {
    const byContext = getOrInsert(closings, outcome, () => new Map<string, Map<string, ClosingSeries>>())
    const byProject = getOrInsert(byContext, context, () => new Map<string, ClosingSeries>())
    return getOrInsert(byProject, project, () => ({
      builds: ledger.series('builds', [outcome, context, project]),
      tokens: ledger.series('buildTokens', [outcome, context, project]),
      tokenCost: ledger.series('buildTokenCost', [outcome]),
      duration: ledger.series('buildDurationSeconds', [outcome]),
      reworkSteps: ledger.series('buildReworkSteps', [outcome]),
    }))
  }

  function instructionBuilds(pair: string, outcome: Outcome): Series {
    const byPair = getOrInsert(instructionClosings, outcome, () => new Map<string, Series>())
    if (byPair.size >= MAX_PROMPT_VERSIONS) byPair.clear()
    return getOrInsert(byPair, pair, () => {
      const [phase, version] = splitPair(pair)
      return ledger.series('instructionBuilds', [
        overflow.admit('instruction_version', version),
        phase,
        outcome,
      ])
    })
  }

  /** The time of use is that of the build's last entry: closing a build does not use its context again. */
  const contextOf = (build: ClosedBuild, project: string, nowMs: number): string =>
    contexts.admit(build.contextFileHash, project, build.lastEntryMs, nowMs)

  const projectOf = ({ project }: ClosedBuild): string =>
    project === undefined ? '' : overflow.admit('project', project)

  return {
    closed,
    late(build, tokens, nowMs) {
      const project = projectOf(build)
      const series = closingSeries(build.outcome, contextOf(build, project, nowMs), project)
      ledger.add(series.tokens, tokens)
    },
  }
}

/** Splits `phase NUL prompt version` at the first NUL: the version may contain one itself. */
function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('\0')
  return [pair.slice(0, at), pair.slice(at + 1)]
}
