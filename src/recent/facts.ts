import type { AttributedEntry } from '../attribute/build.ts'
import type { Entry } from '../entry/parsed.ts'
import type { LinePlace } from '../events.ts'
import type { FixPrompt, RecentBuild, Stretch } from './recent-build.ts'

/** Further prompt versions of one build count as this one. */
const OTHER_PROMPTS = '_other'
const MAX_PROMPTS = 8
/** A build that is written to more files is read in the first of them only. */
const MAX_FILES = 4
const SHORT_HASH = 12

type Mutable<T> = { -readonly [key in keyof T]: T[key] }

/** A recent build as it is counted: in place, because nearly every entry changes one. */
export type Facts = Mutable<Omit<RecentBuild, 'fixPrompts' | 'stretches'>> & {
  // Replaced when they grow: by `push`, each would get room for 17.
  fixPrompts: readonly Mutable<FixPrompt>[]
  /** The first stretch. Nearly every build has one only. */
  path: string
  from: number
  to: number
  furtherStretches: readonly Mutable<Stretch>[]
}

/** Those of a build whose first entry stands at `place`, before it is added. */
export const newFacts = (runId: string, startedMs: number, { path, offset }: Place): Facts => ({
  runId,
  outcome: undefined,
  project: undefined,
  firstContext: undefined,
  context: undefined,
  implementPrompt: undefined,
  implementDraw: undefined,
  fixPrompts: NONE,
  startedMs,
  firstEntryMs: Number.POSITIVE_INFINITY,
  lastEntryMs: startedMs,
  entries: 0,
  tokens: 0,
  failures: 0,
  reworkSteps: 0,
  path,
  from: offset,
  to: offset,
  furtherStretches: NONE,
})

type Place = Pick<LinePlace, 'path' | 'offset'>

const NONE: readonly never[] = []

export function factsOf({ stretches, fixPrompts, ...build }: RecentBuild): Facts {
  const [first = { path: '', from: 0, to: 0 }, ...furtherStretches] = stretches.map((one) => ({ ...one }))
  return { ...build, fixPrompts: fixPrompts.map((prompt) => ({ ...prompt })), ...first, furtherStretches }
}

/** What they say now; it does not change with them. */
export const recentBuild = ({
  path,
  from,
  to,
  furtherStretches,
  fixPrompts,
  ...build
}: Facts): RecentBuild => ({
  ...build,
  fixPrompts: fixPrompts.map((prompt) => ({ ...prompt })),
  stretches: [{ path, from, to }, ...furtherStretches.map((stretch) => ({ ...stretch }))],
})

export const startOf = ({ timestampMs, durationMs = 0 }: Entry): number => timestampMs - durationMs

/** Adds one entry of the build. */
export function addEntry(build: Facts, attributed: AttributedEntry, place: LinePlace): void {
  const { entry, phase, contextFileHash, project, instructionVersion } = attributed
  build.startedMs = Math.min(build.startedMs, startOf(entry))
  build.lastEntryMs = Math.max(build.lastEntryMs, entry.timestampMs)
  build.entries++
  build.tokens += entry.spentTokens ?? 0
  if (entry.status === 'fail') build.failures++
  if (phase === 'rework') {
    build.reworkSteps++
    addFix(build, attributed)
  }
  build.firstEntryMs = Math.min(build.firstEntryMs, entry.timestampMs)
  build.context = contextFileHash === undefined ? build.context : shortHash(contextFileHash)
  build.firstContext ??= build.context
  if (phase === 'implement' && instructionVersion !== undefined) {
    build.implementPrompt = only(build.implementPrompt, instructionVersion)
    build.implementDraw = only(build.implementDraw, entry.instructionAssignment ?? null)
  }
  build.project ??= project
  extend(build, place)
}

/** Neighbouring entries share their context: each hash is cut once. */
let lastHash = ''
let lastShort = ''

function shortHash(hash: string): string {
  if (hash !== lastHash) {
    lastHash = hash
    lastShort = hash.slice(0, SHORT_HASH)
  }
  return lastShort
}

function addFix(build: Facts, attributed: AttributedEntry): void {
  const { entry, instructionVersion = '', errorLogChars } = attributed
  const prompt = promptOf(build, instructionVersion)
  prompt.fixes++
  prompt.tokens += entry.spentTokens ?? 0
  // Both sums of the rework cost factor, or none: as `countFixPrompt` counts them.
  if (entry.completionTokens === undefined || !errorLogChars) return
  prompt.completionTokens += entry.completionTokens
  prompt.errorLogChars += errorLogChars
}

function promptOf(build: Facts, version: string): Mutable<FixPrompt> {
  const prompts = build.fixPrompts
  const found = prompts.find((prompt) => prompt.version === version)
  if (found !== undefined) return found
  if (prompts.length >= MAX_PROMPTS && version !== OTHER_PROMPTS) return promptOf(build, OTHER_PROMPTS)
  const made = { version, fixes: 0, tokens: 0, completionTokens: 0, errorLogChars: 0 }
  build.fixPrompts = [...prompts, made]
  return made
}

/** `null` for several. */
const only = (before: string | null | undefined, value: string | null): string | null =>
  before === undefined || before === value ? value : null

function extend(build: Facts, { path, offset, length }: LinePlace): void {
  const to = offset + length
  // The facts themselves are the first stretch.
  const stretch = build.path === path ? build : build.furtherStretches.find((one) => one.path === path)
  if (stretch !== undefined) {
    // Before the end of what was read: other content stands in the file, and the stretch begins again.
    if (offset < stretch.to) stretch.from = offset
    stretch.to = to
  } else if (build.furtherStretches.length < MAX_FILES - 1)
    build.furtherStretches = [...build.furtherStretches, { path, from: offset, to }]
}
