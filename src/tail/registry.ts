import type { Durable, Reader, Transaction } from '../state/durable.ts'
import type { FileFacts } from './file-system.ts'
import { createLooks, type Looks } from './looks.ts'
import { createPastHeads, type PastHeads } from './past-heads.ts'
import {
  newFile,
  pendingBytes,
  sameBirth,
  trackFile,
  type FileRecord,
  type TrackedFile,
} from './tracked-file.ts'

/** Every file that is known, by what it is and by where it was last seen. */
export interface Registry extends Durable {
  readonly looks: Looks
  readonly pastHeads: PastHeads
  all(): Iterable<TrackedFile>
  count(): number
  /** A file never seen before. `rotated`: its name is not the watched one. */
  add(path: string, facts: FileFacts, rotated?: boolean): TrackedFile
  /** Learns from any file or directory whether its file system keeps birth times. */
  learn(facts: Pick<FileFacts, 'device' | 'birthNs' | 'changedNs'>): void
  /** The file that is known by this device and inode, be it this one or one that held them before. */
  owner(facts: FileFacts): TrackedFile | undefined
  /** The file with this device and inode, unless birth times tell two files apart. */
  find(facts: FileFacts): TrackedFile | undefined
  /** The file that held this device and inode before another file got it. */
  formerOwner(facts: FileFacts): TrackedFile | undefined
  /** Files last seen at a path; more than one after rotations that we have not followed yet. */
  at(path: string): readonly TrackedFile[]
  /** `rotated`: the new name is not the watched one. */
  move(file: TrackedFile, path: string, rotated: boolean): void
  /**
   * A file system mounted anew may carry another device number. Where numbers have changed places, another file may
   * be known by this one still: it is kept, and found by its path until it gets its own number in turn.
   */
  changeIdentity(file: TrackedFile, facts: FileFacts): void
  /** New files and renames that no commit has written yet. */
  newIdentities(): number
  /** Whether the device of these facts is known to keep birth times. */
  keepsBirthTimes(facts: FileFacts): boolean
  /** Forgets a file: it is gone and read to its end. */
  drop(file: TrackedFile): void
}

const identity = (device: bigint, inode: bigint): string => `${device}:${inode}`

export function createRegistry(state: Reader): Registry {
  const files = new Set<TrackedFile>()
  const byIdentity = new Map<string, TrackedFile>()
  const looks = createLooks(state)
  const pastHeads = createPastHeads(state)
  let newIdentities = 0
  const byPath = new Map<string, Set<TrackedFile>>()
  const dropped = new Set<number>()
  const dirty = new Set<TrackedFile>()
  const devicesWithBirthTimes = new Set<bigint>()
  const keeper = {
    changed(file: TrackedFile): void {
      // A forgotten file must not be written again.
      if (files.has(file)) dirty.add(file)
    },
    contentGone: (head: string): void => pastHeads.add(head),
  }
  let nextId = 1
  for (const row of state.all('SELECT files.*, head FROM files LEFT JOIN file_heads ON file_id = id')) {
    const record = thaw(row)
    const file = trackFile(record, record.position, keeper)
    index(file)
    nextId = Math.max(nextId, (file.id ?? 0) + 1)
  }

  function index(file: TrackedFile): void {
    files.add(file)
    byIdentity.set(identity(file.device, file.inode), file)
    indexPath(file)
  }

  function indexPath(file: TrackedFile): void {
    const there = byPath.get(file.path)
    if (there === undefined) byPath.set(file.path, new Set([file]))
    else there.add(file)
  }

  function unindexPath(file: TrackedFile): void {
    const there = byPath.get(file.path)
    there?.delete(file)
    if (there?.size === 0) byPath.delete(file.path)
  }

  function unindexIdentity(file: TrackedFile): void {
    const key = identity(file.device, file.inode)
    if (byIdentity.get(key) === file) byIdentity.delete(key)
  }

  const owner = (facts: FileFacts): TrackedFile | undefined =>
    byIdentity.get(identity(facts.device, facts.inode))

  const same = (file: TrackedFile, facts: FileFacts): boolean =>
    sameBirth(file, facts, devicesWithBirthTimes.has(facts.device))

  return {
    looks,
    pastHeads,
    newIdentities: () => newIdentities,
    keepsBirthTimes: ({ device }) => devicesWithBirthTimes.has(device),
    all: () => files,
    count: () => files.size,
    owner,
    add(path, facts, rotated = false) {
      const file = newFile(path, facts, keeper)
      if (rotated) file.move(path, rotated)
      index(file)
      dirty.add(file)
      newIdentities++
      return file
    },
    learn(facts) {
      if (facts.birthNs !== 0n && facts.birthNs !== facts.changedNs) devicesWithBirthTimes.add(facts.device)
    },
    find(facts) {
      const file = owner(facts)
      return file !== undefined && same(file, facts) ? file : undefined
    },
    formerOwner(facts) {
      const file = owner(facts)
      return file !== undefined && !same(file, facts) ? file : undefined
    },
    at: (path) => [...(byPath.get(path) ?? [])],
    move(file, path, rotated) {
      unindexPath(file)
      file.move(path, rotated)
      newIdentities++
      indexPath(file)
    },
    changeIdentity(file, facts) {
      unindexIdentity(file)
      file.changeIdentity(facts)
      newIdentities++
      index(file)
    },
    drop(file) {
      pastHeads.add(file.head)
      files.delete(file)
      unindexIdentity(file)
      unindexPath(file)
      dirty.delete(file)
      if (file.id !== undefined) dropped.add(file.id)
    },
    write(transaction: Transaction) {
      looks.write(transaction)
      pastHeads.write(transaction)
      for (const id of dropped) {
        transaction.run('DELETE FROM files WHERE id = ?', id)
        transaction.run('DELETE FROM file_heads WHERE file_id = ?', id)
      }
      for (const file of dirty) {
        if (file.id === undefined) file.giveId(nextId++)
        writeFile(transaction, file)
      }
    },
    committed() {
      looks.committed()
      pastHeads.committed()
      newIdentities = 0
      dropped.clear()
      dirty.clear()
    },
  }
}

function writeFile(transaction: Transaction, file: TrackedFile): void {
  transaction.run(
    'INSERT OR REPLACE INTO file_heads (file_id, head) VALUES (?, ?)',
    file.id ?? null,
    file.head,
  )
  transaction.run(
    `INSERT OR REPLACE INTO files (id, path, device, inode, birth_ns, modified_ns, position, line, marker, skipping,
       counted, rejected, skipped, pending, rotated, missing_since_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    file.id ?? null,
    file.path,
    String(file.device),
    String(file.inode),
    String(file.birthNs),
    String(file.modifiedNs),
    file.position,
    file.line,
    file.marker,
    file.skipping ? 1 : 0,
    file.counted,
    file.rejected,
    file.skipped,
    pendingBytes(file),
    file.rotated ? 1 : 0,
    file.missingSinceMs ?? null,
  )
}

function thaw(row: Record<string, unknown>): FileRecord {
  const pending = Number(row['pending'])
  return {
    id: Number(row['id']),
    path: String(row['path']),
    device: BigInt(String(row['device'])),
    inode: BigInt(String(row['inode'])),
    birthNs: BigInt(String(row['birth_ns'])),
    // An unfinished line is looked at again: what was seen of it is not kept.
    modifiedNs: pending > 0 ? -1n : BigInt(String(row['modified_ns'])),
    position: Number(row['position']),
    line: Number(row['line']),
    marker: String(row['marker']),
    skipping: row['skipping'] === 1,
    counted: Number(row['counted']),
    rejected: Number(row['rejected']),
    skipped: Number(row['skipped']),
    rotated: row['rotated'] === 1,
    missingSinceMs: row['missing_since_ms'] === null ? undefined : Number(row['missing_since_ms']),
    head: typeof row['head'] === 'string' ? row['head'] : '',
  }
}
