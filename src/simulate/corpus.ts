import { appendFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { makeDirectory } from '../make-directory.ts'
import { type SimulatedOutcome, simulateBuild } from './builds.ts'
import {
  CONTEXT_REVISIONS,
  type ContextRevision,
  DEFAULT_PROFILE,
  type SimulationProfile,
} from './profile.ts'
import { PROJECTS } from './projects.ts'
import { createRandom } from './random.ts'

/** Size of a corpus: whole builds until `bytes` bytes are reached, or a number of builds. */
type CorpusSize = { readonly bytes: number } | { readonly builds: number }

export interface CorpusOptions {
  /** The same seed and options give the same bytes. */
  readonly seed: string | number
  readonly size: CorpusSize
  /** The first build starts here, in milliseconds since the epoch. */
  readonly startMs: number
  /** The starts of the builds are spread evenly over this many milliseconds, and so are the contexts. */
  readonly spanMs: number
  /** Revisions of GEMINI.md, oldest first; each has an equal share of the span. Default: `CONTEXT_REVISIONS`. */
  readonly contexts?: readonly ContextRevision[]
  readonly profile?: SimulationProfile
  /** Share of the builds (0 to 1) whose entries have the optional fields. Default 0.3. */
  readonly extensionShare?: number
  /** How many times as fast as in real builds steps follow each other. Default 1. */
  readonly speed?: number
  /** Number of files, to which builds are assigned in turn. Default 1. */
  readonly files?: number
}

export interface CorpusSummary {
  readonly bytes: number
  readonly lines: number
  readonly builds: number
  readonly outcomes: Readonly<Record<SimulatedOutcome, number>>
}

export interface CorpusLine {
  /** One entry as JSON, including its newline. */
  readonly text: string
  /** Index of the file that it belongs to. */
  readonly file: number
  /** The entry's time in milliseconds since the epoch; never before that of the line yielded before. */
  readonly atMs: number
}

/** Gives the lines of a corpus the sizes seen in practice: median 0.4 kB, 99th percentile 4.5 kB. */
const CORPUS_PROFILE: SimulationProfile = {
  ...DEFAULT_PROFILE,
  errorLogChars: { median: 800, sigma: 1.06 },
}

/** Builds are generated in advance and sorted by time in batches of this size. */
const BATCH = 256

/**
 * Yields the lines of a corpus in order of time, with builds interleaved as parallel pipelines write them; returns
 * a summary of its content. The result depends only on the options.
 */
export function* corpusLines(options: CorpusOptions): Generator<CorpusLine, CorpusSummary> {
  const { size, startMs, spanMs, files = 1, extensionShare = 0.3, speed = 1 } = options
  const { contexts = CONTEXT_REVISIONS, profile = CORPUS_PROFILE } = options
  const outcomes = { first_pass: 0, after_rework: 0, failed: 0, abandoned: 0 }
  let bytes = 0
  let lines = 0
  let builds = 0

  const progress = (): number => ('bytes' in size ? bytes / size.bytes : builds / size.builds)
  const startAt = (share: number): number => Math.round(startMs + share * spanMs)

  const nextBuild = (share: number): CorpusLine[] => {
    const random = createRandom(`${options.seed}/${builds}`)
    const project = random.pick(PROJECTS)
    const steps = simulateBuild({
      random,
      profile,
      project,
      startMs: startAt(share),
      runId: `audited-build-${project}-${random.hex(8)}${builds.toString(36)}`,
      context: contextAt(contexts, share),
      extensions: random.chance(extensionShare),
    })
    const file = builds % files
    const made: CorpusLine[] = []
    let step = steps.next()
    while (!step.done) {
      const begin = startAt(share)
      const atMs = Math.round(begin + (step.value.atMs - begin) / speed)
      const timestamp = new Date(atMs).toISOString()
      const text = `${JSON.stringify({ ...step.value.entry, timestamp })}\n`
      bytes += Buffer.byteLength(text)
      made.push({ text, file, atMs })
      step = steps.next()
    }
    outcomes[step.value] += 1
    lines += made.length
    builds += 1
    return made
  }

  // Lines of builds that have started but end after the start of the next build.
  let waiting: CorpusLine[] = []
  while (progress() < 1) {
    for (let made = 0; made < BATCH && progress() < 1; made += 1) waiting.push(...nextBuild(progress()))
    waiting.sort((a, b) => a.atMs - b.atMs)
    const horizon = progress() < 1 ? startAt(progress()) : Infinity
    const later = waiting.findIndex(({ atMs }) => atMs > horizon)
    yield* later === -1 ? waiting : waiting.slice(0, later)
    waiting = later === -1 ? [] : waiting.slice(later)
  }
  return { bytes, lines, builds, outcomes }
}

const contextAt = (contexts: readonly ContextRevision[], share: number): ContextRevision => {
  const context = contexts[Math.min(Math.floor(share * contexts.length), contexts.length - 1)]
  if (context === undefined) throw new RangeError('a corpus needs at least one context')
  return context
}

/** Characters that are buffered for one file before they are written. */
const CHUNK_CHARS = 1 << 20
/** Characters that are buffered for all files before all are written; bounds the memory for many files. */
const GATHERED_CHARS = 16 << 20

/**
 * Writes a corpus to the given files and returns a summary of its content. Existing files are replaced, missing
 * directories are created. Memory is bounded for any size. Throws what the file system throws.
 */
export async function writeCorpus(
  paths: readonly string[],
  options: Omit<CorpusOptions, 'files'>,
): Promise<CorpusSummary> {
  for (const path of paths) {
    await makeDirectory(dirname(path))
    await writeFile(path, '')
  }
  const gathered = paths.map((path) => ({ path, text: '' }))
  let gatheredChars = 0
  const flush = async (file: { readonly path: string; text: string }): Promise<void> => {
    if (file.text === '') return
    const { text } = file
    file.text = ''
    gatheredChars -= text.length
    await appendFile(file.path, text)
  }

  const lines = corpusLines({ ...options, files: paths.length })
  let line = lines.next()
  while (!line.done) {
    const { text, file: index } = line.value
    const file = gathered[index]
    if (file === undefined) throw new RangeError('a corpus needs at least one file')
    file.text += text
    gatheredChars += text.length
    if (file.text.length >= CHUNK_CHARS) await flush(file)
    if (gatheredChars >= GATHERED_CHARS) for (const each of gathered) await flush(each)
    line = lines.next()
  }
  for (const file of gathered) await flush(file)
  return line.value
}
