import nodePath from 'node:path'
import { factsOfAll, type FileFacts } from './file-system.ts'
import type { Parts } from './parts.ts'
import { createRotation, type Extent, type Turn } from './rotation.ts'
import type { Listed, Unchanged } from './sightings.ts'
import { needsLook, type TrackedFile } from './tracked-file.ts'
import { createWays } from './ways.ts'

/**
 * Directories that need no listing, since their change time says that no name in them has changed. Most directories of
 * many builds are such. A scan looks at those of them whose turn it is, many at once, and walks through what is not
 * settled.
 */
export interface Settled {
  /** Looks at settled directories and their traces, in steps. */
  glance(extent: Extent): AsyncGenerator<void, void>
  /** The directory if it is settled, with what a walk has to visit in it. */
  unchanged(directory: string): Unchanged | undefined
  /** A directory was listed: from now on its change time tells whether it has to be listed again. */
  note(listed: Listed): Promise<void>
  /**
   * When the oldest look began that anything settled is known by, by the wall clock as it is now; `Infinity` if nothing
   * is settled. What has come into a settled directory or its trace since then may not have been found.
   */
  lookedSinceMs(): number
}

interface Known extends Turn {
  readonly device: bigint
  readonly inode: bigint
  readonly changedNs: bigint
  readonly isInner: boolean
  readonly file: TrackedFile | undefined
  /** There is something to do for its trace. */
  isRestless: boolean
}

/** Calls into the file system that are made at once. */
const AT_ONCE = 64
/** Clocks of file systems are coarse: a directory changed within this time may change again without a trace. */
const RACY_NS = 2_000_000_000n
/** Directories that a scan looks at when it is not to look at all: with their traces 6,000 calls, some 50 ms of CPU time. */
const TURNS_A_SCAN = 3_000
/** What has changed within this time is likely to change again. */
const RECENT_MS = 3_600_000

export function createSettled(parts: Parts): Settled {
  const { fs, registry, options } = parts
  const rotation = createRotation<Known>(parts, options.turnsAScan ?? TURNS_A_SCAN)
  const ways = createWays((directory) => rotation.get(directory) !== undefined)
  /** Devices whose file system changes the time of a directory with each name in it. */
  const trusted = new Map<bigint, boolean>()

  async function isTrusted({ device }: FileFacts, directory: string): Promise<boolean> {
    const found = trusted.get(device)
    if (found !== undefined) return found
    const isRight = await fs.keepsChangeTimes(directory).catch(() => false)
    trusted.set(device, isRight)
    return isRight
  }

  /** Whether a look at the file would find nothing to do. */
  function isQuiet(file: TrackedFile, facts: FileFacts): boolean {
    const { handles, failures, unreachable } = parts
    if (!facts.isFile || registry.find(facts) !== file || needsLook(file, facts)) return false
    if (file.scannedTo === 0 || file.missingSinceMs !== undefined) return false
    if (handles.isDeleted(file) || failures.has(file) || unreachable.has(file.path)) return false
    return registry.at(file.path).length === 1
  }

  /** Directories in which directories appear, and what has changed lately, are looked at more often than the rest. */
  function isBrisk({ isInner, isRestless, changedNs, file }: Known): boolean {
    if (isInner || isRestless) return true
    const modifiedNs = file?.modifiedNs ?? 0n
    const lastNs = modifiedNs > changedNs ? modifiedNs : changedNs
    return parts.now() - Number(lastNs / 1_000_000n) < RECENT_MS
  }

  function put(directory: string, record: Known): void {
    rotation.put(directory, record, isBrisk(record))
    record.file?.noteRest(!record.isRestless)
  }

  function remove(directory: string, { file }: Known): void {
    rotation.delete(directory)
    ways.listAgain(directory)
    file?.noteRest(false)
  }

  async function look(directories: readonly (readonly [string, Known])[]): Promise<void> {
    const paths = directories.flatMap(([path, { file }]) => (file === undefined ? [path] : [path, file.path]))
    const facts = await factsOfAll(fs, paths)
    let at = 0
    for (const [directory, record] of directories) {
      const own = facts[at++]
      const ofFile = record.file === undefined ? undefined : facts[at++]
      if (isSame(record, own)) {
        record.isRestless = record.file !== undefined && !(ofFile && isQuiet(record.file, ofFile))
        put(directory, record)
        if (record.isRestless) ways.leadTo(directory)
      } else {
        remove(directory, record)
        ways.noteUnsettled(directory)
      }
    }
  }

  return {
    async *glance(extent) {
      ways.begin()
      for (const group of rotation.turns(extent, AT_ONCE / 2)) {
        await look(group)
        yield
      }
      // A directory may have been replaced, by a link too: nothing is visited in one that was not looked at.
      const passed = new Set([...options.roots, ...ways.passed()])
      for (const group of rotation.rest(passed, AT_ONCE / 2)) {
        await look(group)
        yield
      }
    },
    unchanged(directory) {
      const record = rotation.get(directory)
      if (record === undefined) return undefined
      const { device, inode, file, isRestless } = record
      return {
        device,
        inode,
        subdirectories: ways.from(directory),
        trace: isRestless ? file?.path : undefined,
      }
    },
    async note({ directory, facts, seenMs, subdirectories, hasTrace }) {
      const before = rotation.get(directory)
      if (before !== undefined) remove(directory, before)
      const isRacy = BigInt(Math.floor(seenMs)) * 1_000_000n - facts.changedNs < RACY_NS
      const file = hasTrace ? onlyFileAt(parts, nodePath.join(directory, options.fileName)) : undefined
      const isKnown = !hasTrace || file !== undefined
      if (isRacy || !isKnown || !(await isTrusted(facts, directory))) return ways.noteUnsettled(directory)
      ways.noteSettled(directory)
      const { device, inode, changedNs } = facts
      const isInner = subdirectories.length > 0
      put(directory, { device, inode, changedNs, isInner, file, isRestless: false, lookedIn: 0 })
      for (const path of subdirectories) if (rotation.get(path) === undefined) ways.noteUnsettled(path)
    },
    lookedSinceMs: () => rotation.oldestMs(),
  }
}

const isSame = (record: Known, facts: FileFacts | undefined): boolean =>
  facts !== undefined &&
  facts.isDirectory &&
  facts.changedNs === record.changedNs &&
  facts.inode === record.inode &&
  facts.device === record.device

function onlyFileAt({ registry }: Parts, path: string): TrackedFile | undefined {
  const [file, ...others] = registry.at(path)
  return others.length === 0 ? file : undefined
}
