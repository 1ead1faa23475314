import { attribute, newBuild, type AttributedEntry } from '../attribute/build.ts'
import { runKey } from '../attribute/known-builds.ts'
import type { Phase } from '../attribute/phase.ts'
import { parseLine } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import { splitWelded } from '../entry/welded.ts'

/** One entry of a build. */
export interface BuildStep extends AttributedEntry {
  /** The start of `error_full`; `''` if the entry has none, or stands in a line with others. */
  readonly errorText: string
}

const MAX_STEPS = 200
const MAX_ERROR_CHARS = 2_000

export interface BuildSteps {
  /** Takes the entries of the build from a line, and passes over everything else. */
  line(line: Buffer): void
  /** At most 200. */
  readonly steps: readonly BuildStep[]
  /** Number of entries that were found, shown or not. */
  found(): number
}

/** Collects the entries of one build from the lines of its files, and attributes them by the rule by which they were counted. */
export function createBuildSteps(runId: string, phaseOf: (step: string) => Phase, nowMs: number): BuildSteps {
  const build = newBuild(runId)
  const steps: BuildStep[] = []
  let found = 0

  function take(entry: Entry, errorText: () => string): void {
    if (runKey(entry.runId) !== runId) return
    found++
    const attributed = attribute(build, entry, phaseOf(entry.step), { nowMs, firstPass: true })
    if (steps.length < MAX_STEPS) steps.push({ ...attributed, errorText: errorText() })
  }

  return {
    line(line) {
      const text = line.toString()
      const parsed = parseLine(text)
      if (parsed.ok) return take(parsed.entry, () => errorTextOf(text))
      if (parsed.fault.reason !== 'invalid_json') return
      for (const part of splitWelded(line, line.length) ?? []) {
        if (part.parsed.ok) take(part.parsed.entry, () => '')
      }
    },
    steps,
    found: () => found,
  }
}

function errorTextOf(line: string): string {
  const { error_full: text } = JSON.parse(line) as { error_full?: unknown }
  return typeof text === 'string' ? text.slice(0, MAX_ERROR_CHARS) : ''
}
