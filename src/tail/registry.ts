import type { Durable, Reader, Transaction } from '../state/durable.ts'
import { createFileIndex } from './file-index.ts'
import { deleteFile, readFiles, writeFile } from './file-rows.ts'
import type { FileFacts } from './file-system.ts'
import { createLooks, type Looks } from './looks.ts'
import { createPastHeads, type PastHeads } from './past-heads.ts'
import { newFile, sameBirth, trackFile, type Head, type TrackedFile } from './tracked-file.ts'

/** Every known file, by identity and by last path. */
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
  /** The file with this device and inode, unless its birth time differs. */
  find(facts: FileFacts): TrackedFile | undefined
  /** The file that held this device and inode before another file got it. */
  formerOwner(facts: FileFacts): TrackedFile | undefined
  /** Files last seen at a path; more than one after rotations that we have not followed yet. */
  at(path: string): readonly TrackedFile[]
  /** `rotated`: the new name is not the watched one. */
  move(file: TrackedFile, path: string, rotated: boolean): void
  /**
   * A file system that is mounted again may get another device number. If numbers were swapped, another file may
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

export function createRegistry(state: Reader): Registry {
  const index = createFileIndex()
  const looks = createLooks(state)
  const pastHeads = createPastHeads(state)
  const dropped = new Set<number>()
  const dirty = new Set<TrackedFile>()
  const devicesWithBirthTimes = new Set<bigint>()
  let newIdentities = 0
  let nextId = 1
  /** One that is in `dirty`: each line of a file changes it. */
  let lastDirty: TrackedFile | undefined
  const owner = {
    changed(file: TrackedFile): void {
      // A forgotten file must not be written again.
      if (file === lastDirty || !index.all.has(file)) return
      dirty.add(file)
      lastDirty = file
    },
    contentGone: (head: Head): void => pastHeads.add(head),
  }
  for (const record of readFiles(state)) {
    index.add(trackFile(record, record.position, owner))
    nextId = Math.max(nextId, (record.id ?? 0) + 1)
  }

  const same = (file: TrackedFile, facts: FileFacts): boolean =>
    sameBirth(file, facts, devicesWithBirthTimes.has(facts.device))

  return {
    looks,
    pastHeads,
    newIdentities: () => newIdentities,
    keepsBirthTimes: ({ device }) => devicesWithBirthTimes.has(device),
    all: () => index.all,
    count: () => index.all.size,
    owner: (facts) => index.owner(facts),
    add(path, facts, rotated = false) {
      const file = newFile(path, facts, owner)
      if (rotated) file.move(path, rotated)
      index.add(file)
      dirty.add(file)
      newIdentities++
      return file
    },
    learn(facts) {
      if (facts.birthNs !== 0n && facts.birthNs !== facts.changedNs) devicesWithBirthTimes.add(facts.device)
    },
    find(facts) {
      const file = index.owner(facts)
      return file !== undefined && same(file, facts) ? file : undefined
    },
    formerOwner(facts) {
      const file = index.owner(facts)
      return file !== undefined && !same(file, facts) ? file : undefined
    },
    at: (path) => index.at(path),
    move(file, path, rotated) {
      index.move(file, () => file.move(path, rotated))
      newIdentities++
    },
    changeIdentity(file, facts) {
      index.identify(file, () => file.changeIdentity(facts))
      newIdentities++
    },
    drop(file) {
      pastHeads.add(file.head)
      index.delete(file)
      dirty.delete(file)
      lastDirty = undefined
      if (file.id !== undefined) dropped.add(file.id)
    },
    write(transaction: Transaction) {
      looks.write(transaction)
      pastHeads.write(transaction)
      for (const id of dropped) deleteFile(transaction, id)
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
      lastDirty = undefined
    },
  }
}
