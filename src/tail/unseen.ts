import nodePath from 'node:path'
import { isMissing, type FileFacts } from './file-system.ts'
import { beginAlike, beginningAt, beginningOf, headBytes, mayCopy, type Beginning } from './head.ts'
import type { Locator } from './locator.ts'
import { markerHolds } from './marker.ts'
import { rotatedKind } from './names.ts'
import type { Parts } from './parts.ts'
import type { Beside, Sighting } from './sightings.ts'
import { needsLook, type Head, type TrackedFile } from './tracked-file.ts'

/**
 * Finds files that were created and rotated away before anybody looked: files beside a watched path whose name is
 * the watched name plus a suffix. What such a file is, by the first case that holds:
 *
 * | case | the file | what happens |
 * | ---- | -------- | ------------ |
 * | 1 | has a known device, inode and birth time | it is the known file, followed to its new name |
 * | 2 | was born before the last complete look at its directory | not read: it was there, or is history |
 * | 3 | is compressed | not read, but named in the log |
 * | 4 | has no complete first line yet, and is younger than an hour | decided at a later look: it may be a copy in the making |
 * | 5 | has the head of known content, or of an older file beside it | not read: it is a copy |
 * | 6 | none of these | read from its start |
 *
 * Without birth times, case 2 holds unless the file came to its directory between two looks of this process.
 */
export interface Unseen {
  /** Decides about rotated names in a directory; returns the known files and the new ones among them. */
  look(beside: Beside): Promise<TrackedFile[]>
  /** A look at everything begins. */
  begin(): void
  /** A look at everything is complete: what was born before it, and is not known, is never read. */
  complete(beganMs: number): void
}

interface State {
  readonly parts: Parts
  readonly locator: Locator
  readonly startedMs: number
  /** Directories in which every name has been decided, with their modification time then. */
  readonly decided: Map<string, bigint>
  /** Of this look: files that case 4 holds for, by root. */
  readonly undecided: { root: string; bornMs: number }[]
  /** Unknown files that were not read, where the file system keeps no birth times. */
  readonly passedOver: Set<string>
  /** Compressed files that the log has named. */
  readonly named: Set<string>
  /** When this look began: before anything was asked of the disk, which may answer late. */
  beganMs: number
  /** When the last whole look of this process began. */
  completedMs: number | undefined
}

const HOUR_MS = 3_600_000
/** A birth time comes from a clock that ticks up to a hundred times a second. */
const TICK_MS = 20
const MAX_NAMED = 10_000
const RACY_NS = 2_000_000_000n

export function createUnseen(parts: Parts, locator: Locator): Unseen {
  const state: State = {
    parts,
    locator,
    startedMs: parts.now(),
    decided: new Map(),
    undecided: [],
    passedOver: new Set(),
    named: new Set(),
    beganMs: parts.now(),
    completedMs: undefined,
  }
  return {
    look: (beside) => look(state, beside),
    begin() {
      state.undecided.length = 0
      state.beganMs = parts.now()
    },
    complete(beganMs) {
      complete(state, beganMs)
      state.completedMs = beganMs
    },
  }
}

/**
 * A directory may change while it is listed, so that a file shows under neither of its names: each file has two whole
 * looks to be found in, and the beginning of the one before the last is noted.
 */
function complete(state: State, beganMs: number): void {
  const { looks } = state.parts.registry
  if (state.named.size > MAX_NAMED) state.named.clear()
  for (const root of state.parts.options.roots) {
    const before = looks.lastComplete(root) ?? state.startedMs
    const held = state.undecided.filter((one) => one.root === root).map(({ bornMs }) => bornMs - 1)
    looks.noteComplete(root, Math.floor(Math.min(state.completedMs ?? before, beganMs, ...held)))
  }
}

async function look(state: State, beside: Beside): Promise<TrackedFile[]> {
  const { directory, modifiedNs, names } = beside
  if (state.decided.get(directory) === modifiedNs) return []
  const files: TrackedFile[] = []
  const compressed: string[] = []
  let isDecided = true
  for (const sighting of await sightings(state, directory, names)) {
    const file = await knownFile(state, sighting)
    if (file !== undefined) {
      await state.locator.follow(file, sighting)
      files.push(file) // 1
      continue
    }
    const decision = await decide(state, beside, sighting)
    if (decision === 'read') files.push(await adopt(state, sighting))
    else if (decision === 'compressed' && !state.named.has(sighting.path)) compressed.push(sighting.path)
    else if (decision === 'later') isDecided = false
  }
  if (compressed.length > 0) state.parts.events.compressedFound(compressed)
  for (const path of compressed) state.named.add(path)
  const isRacy = BigInt(Math.floor(state.beganMs)) * 1_000_000n - modifiedNs < RACY_NS
  if (modifiedNs < 0n) return files
  if (isDecided && !isRacy) state.decided.set(directory, modifiedNs)
  else state.decided.delete(directory)
  return files
}

/** The older first: of two unknown files with equal content, the younger one is the copy. */
async function sightings({ parts }: State, directory: string, names: readonly string[]): Promise<Sighting[]> {
  const found: Sighting[] = []
  for (const name of names) {
    const path = nodePath.join(directory, name)
    try {
      const facts = await parts.fs.stat(path)
      if (facts.isFile) found.push({ path, facts })
    } catch (error) {
      if (isMissing(error)) continue
      parts.unreachable.add(path, error)
      parts.events.fileFailed(path, 'stat', error)
    }
  }
  return found.sort((a, b) => (isOlder(a, b) ? -1 : 1))
}

const isOlder = (a: Sighting, b: Sighting): boolean =>
  a.facts.birthNs === b.facts.birthNs ? a.path < b.path : a.facts.birthNs < b.facts.birthNs

/** Without birth times an inode may be another file's by now: then the content must agree too. */
async function knownFile({ parts }: State, { path, facts }: Sighting): Promise<TrackedFile | undefined> {
  const file = parts.registry.find(facts)
  if (file === undefined || file.path === path || file.position === 0) return file
  if (keepsBirth(parts, facts)) return file
  return (await markerHolds(parts.fs, path, file).catch(() => false)) ? file : undefined
}

const keepsBirth = ({ registry }: Parts, facts: FileFacts): boolean =>
  facts.birthNs !== 0n && registry.keepsBirthTimes(facts)

async function decide(
  state: State,
  beside: Beside,
  sighting: Sighting,
): Promise<'leave' | 'compressed' | 'later' | 'read'> {
  const { parts } = state
  const { path, facts } = sighting
  if (!isNew(state, beside.root, facts)) return 'leave' // 2
  if (rotatedKind(nodePath.basename(path), beside.watchedName) === 'compressed') return 'compressed' // 3
  try {
    const beginning = await beginningAt(parts.fs, path, headBytes(parts.options.maxLineBytes))
    const bornMs = Number((keepsBirth(parts, facts) ? facts.birthNs : facts.modifiedNs) / 1_000_000n)
    if (beginning === undefined && parts.now() - bornMs < HOUR_MS) {
      state.undecided.push({ root: beside.root, bornMs })
      return 'later' // 4
    }
    if (beginning === undefined || !(await isKnownContent(state, beside, sighting, beginning))) return 'read' // 6
    state.passedOver.add(identity(facts))
    return 'leave' // 5
  } catch (error) {
    if (isMissing(error)) return 'leave'
    parts.unreachable.add(path, error)
    parts.events.fileFailed(path, 'open', error)
    return 'later'
  }
}

function isNew(
  { parts, startedMs, passedOver, completedMs }: State,
  root: string,
  facts: FileFacts,
): boolean {
  const sinceMs = parts.registry.looks.lastComplete(root) ?? startedMs
  const sinceNs = BigInt(Math.floor(sinceMs - TICK_MS)) * 1_000_000n
  if (keepsBirth(parts, facts)) return facts.birthNs > sinceNs
  const isNew =
    completedMs !== undefined &&
    facts.modifiedNs > sinceNs &&
    facts.changedNs > sinceNs &&
    !passedOver.has(identity(facts))
  if (!isNew) passedOver.add(identity(facts))
  return isNew
}

const identity = ({ device, inode }: FileFacts): string => `${device}:${inode}`

async function isKnownContent(
  state: State,
  beside: Beside,
  sighting: Sighting,
  beginning: Beginning,
): Promise<boolean> {
  const { registry } = state.parts
  const isCopyOf = (head: Head): boolean => mayCopy(beginning, head)
  if (registry.pastHeads.withFirstLine(beginning.firstLine).some(isCopyOf)) return true
  for (const file of registry.all()) if (isCopyOf(file)) return true
  return (
    (await isHeadOfUnread(state, beside.directory, beginning)) ||
    (await isHeadOfSibling(state, beside, sighting, beginning))
  )
}

/** A file of the directory is known, but not what stands in it now: it was not read yet, or has changed since. */
async function isHeadOfUnread(state: State, directory: string, beginning: Beginning): Promise<boolean> {
  const files = Array.from(state.parts.registry.all())
  for (const file of files.filter(({ path }) => nodePath.dirname(path) === directory)) {
    const found = await unreadBeginning(state, file).catch(() => undefined)
    if (found !== undefined && beginAlike(found, beginning)) return true
  }
  return false
}

/** `undefined` if the file is as it was when it was read last. Throws what the file system throws. */
async function unreadBeginning({ parts, locator }: State, file: TrackedFile): Promise<Beginning | undefined> {
  const { handles, siblings, fs, options } = parts
  const handle = handles.get(file)
  // A deleted file is still to be read by its handle.
  if (handle === undefined && !(await locator.leadsTo(file.path, file))) {
    siblings.begin()
    await locator.locate(file)
  }
  const facts = await (handle === undefined ? fs.stat(file.path) : handle.facts())
  if (file.firstLine !== '' && !needsLook(file, facts)) return undefined
  const limit = headBytes(options.maxLineBytes)
  return await (handle === undefined ? beginningAt(fs, file.path, limit) : beginningOf(handle, limit))
}

async function isHeadOfSibling(
  { parts }: State,
  { directory, watchedName }: Beside,
  sighting: Sighting,
  beginning: Beginning,
): Promise<boolean> {
  const { fs, options } = parts
  for (const { name, kind } of await fs.list(directory)) {
    const path = nodePath.join(directory, name)
    if (kind !== 'file' || path === sighting.path) continue
    const isWatched = name === watchedName
    if (!isWatched && rotatedKind(name, watchedName) !== 'rotated') continue
    const facts = await fs.stat(path).catch(() => undefined)
    if (facts === undefined || identity(facts) === identity(sighting.facts)) continue
    if (!isWatched && !isOlder({ path, facts }, sighting)) continue
    const found = await beginningAt(fs, path, headBytes(options.maxLineBytes)).catch(() => undefined)
    if (found !== undefined && beginAlike(found, beginning)) return true
  }
  return false
}

async function adopt({ parts, locator }: State, { path, facts }: Sighting): Promise<TrackedFile> {
  const former = parts.registry.owner(facts)
  if (former !== undefined) await locator.forget(former)
  const file = parts.registry.add(path, facts, true)
  parts.events.rotationFound(path)
  parts.queue.offer(file, facts)
  return file
}
