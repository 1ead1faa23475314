import { createPhaseOf, DEFAULT_PHASE_RULES, type PhaseRule } from '../attribute/phase.ts'
import type { Clock } from '../clock.ts'
import type { Engine } from '../engine.ts'
import { createBuildSteps, type BuildSteps } from '../recent/build-steps.ts'
import type { RecentBuild, Stretch } from '../recent/recent-build.ts'
import { readStretch } from '../recent/stretch-lines.ts'
import type { BuildFileView, BuildSummary, BuildView, RecentView } from '../serve/status.ts'
import type { FileSystem } from '../tail/file-system.ts'
import type { TrackedFile } from '../tail/tracked-file.ts'

export interface BuildViewDeps {
  readonly engine: Pick<Engine, 'recent' | 'tail' | 'contexts' | 'commits'>
  readonly fs: FileSystem
  readonly clock: Clock
  readonly phase: readonly PhaseRule[]
}

/** One build with its steps, read from its files; `undefined` if it is not among those that are kept. */
export type ViewBuild = (runId: string) => Promise<BuildView | undefined>

/** Views are made one after another: only one holds lines in memory. */
export function createBuildViews(deps: BuildViewDeps): ViewBuild {
  const phaseOf = createPhaseOf([...deps.phase, ...DEFAULT_PHASE_RULES])
  let before: Promise<unknown> = Promise.resolve()
  return (runId) => {
    const view = before.then(() => viewBuild(deps, phaseOf, runId))
    before = view.catch(() => undefined)
    return view
  }
}

async function viewBuild(
  { engine, fs, clock }: BuildViewDeps,
  phaseOf: ReturnType<typeof createPhaseOf>,
  runId: string,
): Promise<BuildView | undefined> {
  engine.commits.commit()
  const build = engine.recent.find(runId)
  if (build === undefined) return undefined
  const nowMs = clock.wallMs()
  const steps = createBuildSteps(build.runId, phaseOf, nowMs)
  const files: BuildFileView[] = []
  for (const stretch of build.stretches) {
    files.push(await readFile(fs, trackedAt(engine.tail, stretch), stretch, steps))
  }
  return { ...summaryOf(engine, build), nowMs, steps: steps.steps, found: steps.found(), files }
}

const LISTED = 10

/** The lists of the page. */
export function recentView(engine: Pick<Engine, 'recent' | 'contexts'>): RecentView {
  const all = engine.recent.list()
  const summaries = (builds: readonly RecentBuild[]): BuildSummary[] =>
    builds.slice(0, LISTED).map((build) => summaryOf(engine, build))
  return {
    kept: all.length,
    last: summaries(all),
    dearest: summaries(all.toSorted((a, b) => b.tokens - a.tokens)),
  }
}

/** The list's part of a build. */
function summaryOf({ contexts }: Pick<Engine, 'contexts'>, build: RecentBuild): BuildSummary {
  const { runId, outcome, project, startedMs, lastEntryMs, entries, tokens, failures, reworkSteps } = build
  const { context } = build
  const version = contexts.shown().find(({ hash }) => hash === context)?.version
  const revision = version === undefined ? context : `v${version} ${context}`
  return { runId, outcome, project, revision, startedMs, lastEntryMs, entries, tokens, failures, reworkSteps }
}

/**
 * The files that may hold the stretch: the one at its path, and those that were there and have been rotated away. Only
 * files that the exporter reads are looked at, wherever else a path may lead.
 */
function trackedAt(tail: Engine['tail'], { path, to }: Stretch): TrackedFile[] {
  const files: TrackedFile[] = []
  for (const { file } of tail.status()) {
    if (file.missingSinceMs !== undefined || file.position < to) continue
    if (file.path === path || (file.rotated && file.path.startsWith(path))) files.push(file)
  }
  // The path itself first, then the latest rotation.
  return files.sort((a, b) => (a.path < b.path ? -1 : 1)).slice(0, MAX_CANDIDATES)
}

const MAX_CANDIDATES = 5

/** A file that holds no entry of the build where they stood has other content now: the next one is tried. */
async function readFile(
  fs: FileSystem,
  candidates: readonly TrackedFile[],
  stretch: Stretch,
  steps: BuildSteps,
): Promise<BuildFileView> {
  let last: BuildFileView = { path: stretch.path, state: 'gone', tooLong: 0 }
  for (const { path, device, inode } of candidates) {
    const before = steps.found()
    try {
      const read = await readStretch(fs, { path, device, inode }, stretch, (line) => steps.line(line))
      if (steps.found() > before || read.tooLong > 0) return { path, ...read }
      last = { path, state: read.state === 'gone' ? 'gone' : 'replaced', tooLong: 0 }
    } catch (error) {
      return { path, state: 'failed', cause: String(error), tooLong: 0 }
    }
  }
  return last
}
