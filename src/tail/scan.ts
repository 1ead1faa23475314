import nodePath from 'node:path'
import { inGroups } from './in-groups.ts'
import { isRotatedEntry } from './names.ts'
import type { Beside, Listed, Sighting, WalkEvents } from './sightings.ts'
import { factsOfAll, isMissing, type DirectoryEntry, type FileFacts, type FileSystem } from './file-system.ts'
import { mayFollow, resolveRoots } from './within-roots.ts'

/** Directories that hold no traces but many files. */
const IGNORED_DIRECTORIES = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '.cache',
  '.pnpm-store',
  '__pycache__',
])

export const isIgnoredDirectory = (name: string): boolean => IGNORED_DIRECTORIES.has(name)

export interface ScanOptions {
  /** Only files of this name are traces; a root that is a file may have any name. */
  readonly fileName: string
  /** Also follow links that lead out of the roots. */
  readonly followSymlinks: boolean
}

export interface ScanResult {
  readonly found: readonly Sighting[]
  readonly missingRoots: readonly string[]
}

/** Finds every trace below the roots. Errors go to `onError`, what is not read to `onSkip`; the rest goes on. */
export async function scan(
  fs: FileSystem,
  roots: readonly string[],
  options: ScanOptions,
  onError: WalkEvents['failed'],
  onSkip: WalkEvents['skipped'] = () => undefined,
): Promise<ScanResult> {
  const found: Sighting[] = []
  const steps = walk(fs, roots, options, {
    failed: onError,
    isBackingOff: () => false,
    reachable: () => undefined,
    entered: () => undefined,
    skipped: onSkip,
    unchanged: () => undefined,
    now: () => 0,
  })
  for (;;) {
    const { done, value } = await steps.next()
    if (done === true) return { found, missingRoots: value }
    if (value !== undefined && 'path' in value) found.push(value)
  }
}

/**
 * The same step by step: a trace, the rotated names of a directory, a directory with nothing else in it, or nothing at
 * each, so that the caller may stop or do something else in between. Ends with the roots that do not exist.
 */
export async function* walk(
  fs: FileSystem,
  roots: readonly string[],
  options: ScanOptions,
  events: WalkEvents,
): AsyncGenerator<Sighting | Beside | Listed | undefined, readonly string[]> {
  const missingRoots: string[] = []
  const walked: Walk = {
    fs,
    options,
    events,
    realRoots: await resolveRoots(fs, roots),
    visited: new Map(),
    open: [],
    passed: [],
  }
  for (const root of roots) {
    if (events.isBackingOff(root)) continue
    if (!enterUnchanged(walked, root)) yield* seeRoot(walked, root, missingRoots)
    yield* lookAtOpen(walked, root)
  }
  return missingRoots
}

/** Until no more directories are open than `floor`: those that are found in between are open too. */
async function* lookAtOpen(walked: Walk, root: string, floor = 0): Steps {
  const { passed, open } = walked
  for (;;) {
    const next = passed.pop()
    if (next !== undefined) yield* passThrough(walked, root, next)
    else if (open.length > floor)
      yield* look(walked, root, open.splice(Math.max(floor, open.length - LISTED_AT_ONCE)))
    else return
  }
}

async function* seeRoot(walked: Walk, root: string, missing: string[]): AsyncGenerator<Sighting, void> {
  const { fs, events } = walked
  try {
    const seenMs = events.now()
    const facts = await fs.stat(root)
    if (facts.isDirectory) enter(walked, root, facts, seenMs)
    else events.reachable(root)
    if (facts.isFile) yield { path: root, facts }
    else if (!facts.isDirectory) events.skipped(root, 'not_a_file')
  } catch (error) {
    if (isMissing(error)) missing.push(root)
    else events.failed(root, 'stat', error)
  }
}

/** A directory that is as it was. What is settled in it is passed over. */
async function* passThrough(walked: Walk, root: string, directory: string): Steps {
  const { subdirectories, trace } = walked.events.unchanged(directory) ?? { subdirectories: [] }
  const floor = walked.open.length
  for (const paths of inGroups(subdirectories, SEEN_AT_ONCE)) {
    const visits = paths.map((path): Visit => ({
      path,
      entry: { name: nodePath.basename(path), kind: 'directory' },
    }))
    yield* visitAll(walked, visits)
    yield* lookAtOpen(walked, root, floor)
  }
  if (trace !== undefined) yield await visit(walked, trace, { name: walked.options.fileName, kind: 'file' })
}

/** Lists directories and looks at what is in them. What that opens is looked at in between: a directory may hold very many. */
async function* look(walked: Walk, root: string, directories: readonly Seen[]): Steps {
  const { fileName } = walked.options
  const lists = await Promise.all(directories.map(({ directory }) => list(walked, directory)))
  const floor = walked.open.length
  for (const visits of inGroups(visitsIn(directories, lists), SEEN_AT_ONCE)) {
    yield* visitAll(walked, visits)
    yield* lookAtOpen(walked, root, floor)
  }
  for (const [i, { directory, facts, seenMs }] of directories.entries()) {
    const entries = lists[i] ?? []
    const names = entries.filter((entry) => isRotatedEntry(entry, fileName)).map(({ name }) => name)
    if (names.length > 0)
      yield { directory, modifiedNs: facts.modifiedNs, root, watchedName: fileName, names }
    yield listedAs({ directory, facts, seenMs }, entries, fileName)
  }
}

function* visitsIn(
  directories: readonly Seen[],
  lists: readonly (readonly DirectoryEntry[])[],
): Generator<Visit> {
  for (const [i, { directory }] of directories.entries())
    for (const entry of lists[i] ?? []) yield { path: nodePath.join(directory, entry.name), entry }
}

async function* visitAll(walked: Walk, visits: readonly Visit[]): AsyncGenerator<Sighting | undefined, void> {
  const { fs, options, events } = walked
  const isSettled = ({ path, entry }: Visit): boolean =>
    entry.kind === 'directory' && enterUnchanged(walked, path)
  const left = visits.filter((visit) => !isSettled(visit))
  if (left.length === 0) yield undefined
  const seenMs = events.now()
  const asked = left.filter(({ path, entry }) => isOfInterest(entry, options) && !events.isBackingOff(path))
  const facts = await factsOfAll(
    fs,
    asked.map(({ path }) => path),
  )
  const byPath = new Map(asked.map(({ path }, i) => [path, facts[i]]))
  for (const { path, entry } of left) {
    const seen = byPath.get(path)
    yield await visit(walked, path, entry, seen && { facts: seen, seenMs })
  }
}

interface Visit {
  readonly path: string
  readonly entry: DirectoryEntry
}

/** Whether nothing but facts decides what is done. */
const isOfInterest = ({ name, kind }: DirectoryEntry, { fileName }: ScanOptions): boolean =>
  kind === 'directory' ? !isIgnoredDirectory(name) : kind === 'file' && name === fileName

/** `undefined` if there are names in it that have to be looked at each time. */
function listedAs(seen: Seen, entries: readonly DirectoryEntry[], fileName: string): Listed | undefined {
  const directories = entries.filter(({ kind }) => kind === 'directory')
  const traces = entries.filter(({ name, kind }) => kind === 'file' && name === fileName)
  if (directories.length + traces.length < entries.length) return undefined
  const subdirectories = directories
    .filter(({ name }) => !isIgnoredDirectory(name))
    .map(({ name }) => nodePath.join(seen.directory, name))
  return { ...seen, subdirectories, hasTrace: traces.length > 0 }
}

const LISTED_AT_ONCE = 16
/** Facts that are asked for at once. */
const SEEN_AT_ONCE = 64

type Steps = AsyncGenerator<Sighting | Beside | Listed | undefined, void>
type Seen = Pick<Listed, 'directory' | 'facts' | 'seenMs'>

interface Walk {
  readonly fs: FileSystem
  readonly options: ScanOptions
  readonly events: WalkEvents
  readonly realRoots: readonly string[]
  /** Inodes of directories, by device. */
  readonly visited: Map<bigint, Set<bigint>>
  /** Directories that are still to be listed. */
  readonly open: Seen[]
  /** Settled directories in which there is something to visit. */
  readonly passed: string[]
}

/** Whether it was before; it is from now on. */
function wasVisited(
  visited: Walk['visited'],
  { device, inode }: Pick<FileFacts, 'device' | 'inode'>,
): boolean {
  const inodes = visited.get(device) ?? new Set<bigint>()
  if (inodes.has(inode)) return true
  visited.set(device, inodes.add(inode))
  return false
}

function enter({ visited, open, events }: Walk, directory: string, facts: FileFacts, seenMs: number): void {
  if (wasVisited(visited, facts)) return
  events.entered(directory, facts.modifiedNs)
  open.push({ directory, facts, seenMs })
}

/** False if the directory has to be looked at. */
function enterUnchanged({ visited, passed, events }: Walk, directory: string): boolean {
  const unchanged = events.unchanged(directory)
  if (unchanged === undefined) return false
  if (unchanged.subdirectories.size === 0 && unchanged.trace === undefined) return true
  if (wasVisited(visited, unchanged)) return true
  passed.push(directory)
  return true
}

async function list({ fs, options, events }: Walk, directory: string): Promise<DirectoryEntry[]> {
  if (events.isBackingOff(directory)) return []
  try {
    const entries = await fs.list(directory)
    events.reachable(directory)
    return entries.filter(
      (entry) =>
        entry.name === options.fileName || entry.kind !== 'file' || isRotatedEntry(entry, options.fileName),
    )
  } catch (error) {
    if (!isMissing(error)) events.failed(directory, 'list', error)
    return []
  }
}

/** `seen`: its facts, if they are known and decide. */
async function visit(
  walked: Walk,
  path: string,
  entry: DirectoryEntry,
  seen?: Omit<Seen, 'directory'>,
): Promise<Sighting | undefined> {
  const { fs, options, events, realRoots } = walked
  if (entry.kind === 'other' || (entry.kind === 'directory' && isIgnoredDirectory(entry.name)))
    return undefined
  if (entry.kind === 'file' && entry.name !== options.fileName) return undefined
  if (events.isBackingOff(path)) return undefined
  try {
    const isOutside = entry.kind === 'link' && !(await mayFollow(fs, path, realRoots, options.followSymlinks))
    const seenMs = seen?.seenMs ?? events.now()
    const facts = seen?.facts ?? (await fs.stat(path))
    if (isOutside) {
      if (facts.isDirectory || entry.name === options.fileName) events.skipped(path, 'link_outside')
      return undefined
    }
    if (facts.isDirectory) enter(walked, path, facts, seenMs)
    else events.reachable(path)
    if (facts.isFile && entry.name === options.fileName) return { path, facts }
  } catch (error) {
    // Deleted between the listing and the look, or a link to nothing.
    if (!isMissing(error)) events.failed(path, 'stat', error)
    else if (entry.name.includes(NOT_UTF8)) events.failed(path, 'stat', notUtf8(entry.name))
  }
  return undefined
}

/** Node puts it in a name for bytes that are not UTF-8; the file cannot be opened by that name. */
const NOT_UTF8 = '\uFFFD'

const notUtf8 = (name: string): Error =>
  Object.assign(new Error(`the name "${name}" is not valid UTF-8; rename it`), { code: 'EILSEQ' })
