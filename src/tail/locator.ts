import nodePath from 'node:path'
import { isMissing, type FileFacts } from './file-system.ts'
import { beginningAt, headBytes, mayCopy } from './head.ts'
import { markerHolds } from './marker.ts'
import type { Parts } from './parts.ts'
import type { Sighting } from './sightings.ts'
import { pendingBytes, type TrackedFile } from './tracked-file.ts'

/** Maps paths to files: over time a path refers to several files, and a file has several paths. */
export interface Locator {
  /** A file with these facts was found at a path: decides which file it is, and whether there is something to read. */
  sight(sighting: Sighting): Promise<TrackedFile>
  /** A known file was found under a rotated name. */
  follow(file: TrackedFile, sighting: Sighting): Promise<void>
  /** No sighting has led to this file: looks at its last path, then beside it. */
  locate(file: TrackedFile): Promise<void>
  /** Whether the path refers to this file now. */
  leadsTo(path: string, file: TrackedFile): Promise<boolean>
  /** Whether the file with these facts is this one. */
  same(file: TrackedFile, facts: FileFacts): boolean
  /** An open file has no path any more: it is read to its end. */
  noteDeleted(file: TrackedFile, facts: FileFacts): void
  forget(file: TrackedFile): Promise<void>
}

export function createLocator(parts: Parts): Locator {
  return {
    sight: (sighting) => sight(parts, sighting),
    follow: (file, sighting) => follow(parts, file, sighting),
    locate: (file) => locate(parts, file),
    leadsTo: (path, file) => leadsTo(parts, path, file),
    same: (file, facts) => same(parts, file, facts),
    noteDeleted: (file, facts) => noteDeleted(parts, file, facts),
    forget: (file) => forget(parts, file),
  }
}

const same = ({ registry }: Parts, file: TrackedFile, facts: FileFacts): boolean =>
  registry.find(facts) === file

async function sight(parts: Parts, { path, facts }: Sighting): Promise<TrackedFile> {
  const { registry, handles, queue } = parts
  const file = await identify(parts, path, facts)
  // Nothing is read of it: whichever of two files with one inode this is, it is this one from now on.
  if (file.scannedTo === 0) file.noteBirth(facts.birthNs)
  if (file.path !== path && !(await leadsTo(parts, file.path, file))) moveTo(parts, file, path, false)
  handles.restore(file)
  file.noteFound()
  for (const other of registry.at(path)) if (other !== file) await locate(parts, other)
  queue.offer(file, facts)
  return file
}

async function follow(parts: Parts, file: TrackedFile, { path, facts }: Sighting): Promise<void> {
  if (file.path !== path && !(await leadsTo(parts, file.path, file))) moveTo(parts, file, path, true)
  parts.handles.restore(file)
  file.noteFound()
  parts.queue.offer(file, facts)
}

/**
 * Decides which file is at a path. The first case that holds applies:
 *
 * | case | what is known | what it is |
 * | ---- | ------------- | ---------- |
 * | 1 | a file at this path with this inode under another device, and its content is there | that file: its file system was mounted again |
 * | 2 | the owner of device and inode is elsewhere, and has a new device there | the owner gets its device, then 3 to 7 |
 * | 3 | the owner has another birth time, but is open | the owner: an open file keeps its inode, so the birth time is wrong |
 * | 4 | the owner has the same birth time | the owner, moved if its old path refers to another file now |
 * | 5 | a file at this path is gone, and the content begins with all that was read of it | that file, replaced by a longer copy |
 * | 6 | the owner has another birth time, and is closed | a new file: the inode is used again, the owner is forgotten |
 * | 7 | nothing | a new file |
 */
async function identify(parts: Parts, path: string, facts: FileFacts): Promise<TrackedFile> {
  const { registry, handles } = parts
  for (const file of registry.at(path)) if (await hasNewDevice(parts, file, facts)) return file // 1
  const owner = registry.owner(facts)
  if (owner !== undefined && owner.path !== path) await followDevice(parts, owner) // 2
  const former = registry.formerOwner(facts)
  if (former !== undefined && handles.get(former) !== undefined) former.noteBirth(facts.birthNs) // 3
  const known = registry.find(facts) ?? (await replacedAt(parts, path, facts)) // 4, 5
  if (former !== undefined && former !== known) await forget(parts, former) // 6
  return known ?? discover(parts, path, facts) // 7
}

/**
 * The file known at the path, if the file there now is a longer copy that was renamed over it, as sync tools and
 * editors do: same head, and the same bytes before the position. Reading goes on there in the new file.
 */
async function replacedAt(parts: Parts, path: string, facts: FileFacts): Promise<TrackedFile | undefined> {
  for (const file of parts.registry.at(path)) {
    // A path that was empty for a while has not been renamed over.
    if (file.missingSinceMs !== undefined || facts.size < file.position) continue
    if (!(await continues(parts, path, file))) continue
    if ((await parts.siblings.find(file)) !== undefined) continue
    await parts.handles.close(file)
    parts.registry.changeIdentity(file, facts)
    file.rescanLine()
    return file
  }
  return undefined
}

async function continues({ fs, options }: Parts, path: string, file: TrackedFile): Promise<boolean> {
  try {
    if (!(await markerHolds(fs, path, file))) return false
    if (file.firstLine === '') return true
    const beginning = await beginningAt(fs, path, headBytes(options.maxLineBytes))
    return beginning !== undefined && mayCopy(beginning, file)
  } catch {
    return false
  }
}

function discover({ registry, events }: Parts, path: string, facts: FileFacts): TrackedFile {
  const file = registry.add(path, facts, false)
  events.fileFound(path)
  return file
}

/** Whether it is the same file under another device number, as after its file system was mounted again. */
async function hasNewDevice(parts: Parts, file: TrackedFile, facts: FileFacts): Promise<boolean> {
  if (file.inode !== facts.inode || file.device === facts.device || facts.size < file.position) return false
  if (!(await holds(parts, file))) return false
  await parts.handles.close(file)
  parts.registry.changeIdentity(file, facts)
  return true
}

/** Device numbers may have changed places: then the owner is still at its path, under a new one. */
async function followDevice(parts: Parts, file: TrackedFile): Promise<void> {
  const facts = await parts.fs.stat(file.path).catch(() => undefined)
  if (facts !== undefined) await hasNewDevice(parts, file, facts)
}

async function holds({ fs, events }: Parts, file: TrackedFile): Promise<boolean> {
  try {
    return await markerHolds(fs, file.path, file)
  } catch (error) {
    events.fileFailed(file.path, 'open', error)
    return false
  }
}

async function leadsTo(parts: Parts, path: string, file: TrackedFile): Promise<boolean> {
  try {
    return same(parts, file, await parts.fs.stat(path))
  } catch {
    return false
  }
}

function moveTo(parts: Parts, file: TrackedFile, path: string, rotated: boolean): void {
  parts.events.fileRotated(file.path, path)
  parts.onRotation()
  parts.registry.move(file, path, rotated)
}

async function locate(parts: Parts, file: TrackedFile): Promise<void> {
  const { fs, queue, options } = parts
  if (file.missingSinceMs !== undefined && (await parts.siblings.unchanged(file)))
    return await lose(parts, file)
  try {
    const facts = await fs.stat(file.path)
    if (same(parts, file, facts) || (await hasNewDevice(parts, file, facts))) {
      file.noteFound()
      queue.offer(file, facts)
      return
    }
  } catch (error) {
    if (!isMissing(error)) return await parts.fail(file, 'stat', error)
  }
  // Rotation renames within a directory.
  const found = await parts.siblings.find(file)
  if (found === undefined) return await lose(parts, file)
  if (found.path !== file.path)
    moveTo(parts, file, found.path, nodePath.basename(found.path) !== options.fileName)
  file.noteFound()
  queue.offer(file, found.facts)
}

/** The file has no path any more; it may still be open. */
async function lose(parts: Parts, file: TrackedFile): Promise<void> {
  const { handles, failures, options, queue } = parts
  const handle = handles.get(file)
  // A file that is gone is not failing.
  if (handle === undefined && failures.remove(file)) file.noteError(undefined)
  const facts = await handle?.facts().catch(() => undefined)
  if (facts?.links === 0) return noteDeleted(parts, file, facts)
  if (facts !== undefined) queue.offer(file, facts)
  if (file.missingSinceMs === undefined) file.noteMissing(parts.now())
  else if (handle === undefined && parts.now() - file.missingSinceMs > options.forgetAfterMs)
    await forget(parts, file)
}

function noteDeleted({ handles, queue }: Parts, file: TrackedFile, facts: FileFacts): void {
  handles.markDeleted(file)
  queue.offer(file, facts)
}

async function forget(parts: Parts, file: TrackedFile): Promise<void> {
  parts.queue.drop(file)
  parts.failures.remove(file)
  parts.events.fileGone(file.path, pendingBytes(file))
  parts.registry.drop(file)
  await parts.handles.close(file)
}
