import nodePath from 'node:path'
import { factsOfAll, type FileFacts } from './file-system.ts'
import type { Parts } from './parts.ts'
import type { Listed, Unchanged } from './sightings.ts'
import { needsLook, type TrackedFile } from './tracked-file.ts'

/**
 * Directories that need no listing, since their change time says that no name in them has changed. Most directories of
 * many builds are such: a look at everything asks for the times of these first, many at once, and walks through the rest.
 */
export interface Settled {
  /** Looks at every settled directory and its trace, in steps; adds the traces that are as they were to `sighted`. */
  glance(sighted: Set<TrackedFile>): AsyncGenerator<void, void>
  /** The directory if the last `glance` found it unchanged. */
  unchanged(directory: string): Unchanged | undefined
  /** A directory was listed: from now on its change time tells whether it has to be listed again. */
  note(listed: Listed): Promise<void>
}

interface Known extends Unchanged {
  readonly changedNs: bigint
  readonly file: TrackedFile | undefined
  trace: string | undefined
  /** The number of the glance that found it unchanged. */
  unchangedAt: number
}

/** Calls into the file system that are made at once. */
const AT_ONCE = 64
/** Clocks of file systems are coarse: a directory changed within this time may change again without a trace. */
const RACY_NS = 2_000_000_000n
const NONE: readonly string[] = []

export function createSettled(parts: Parts): Settled {
  const { fs, registry, options } = parts
  const known = new Map<string, Known>()
  /** Devices whose file system changes the time of a directory with each name in it. */
  const trusted = new Map<bigint, boolean>()
  let glances = 0

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

  return {
    async *glance(sighted) {
      glances++
      for (const directories of inGroups(known, AT_ONCE / 2)) {
        const paths = directories.flatMap(([path, { file }]) =>
          file === undefined ? [path] : [path, file.path],
        )
        const facts = await factsOfAll(fs, paths)
        let at = 0
        for (const [directory, record] of directories) {
          const own = facts[at++]
          const ofFile = record.file === undefined ? undefined : facts[at++]
          if (!isSame(record, own)) {
            known.delete(directory)
            continue
          }
          const { file } = record
          const isQuietFile = file !== undefined && ofFile !== undefined && isQuiet(file, ofFile)
          if (isQuietFile) sighted.add(file)
          record.trace =
            file === undefined || isQuietFile ? undefined : nodePath.join(directory, options.fileName)
          record.unchangedAt = glances
        }
        yield
      }
    },
    unchanged(directory) {
      const record = known.get(directory)
      return record?.unchangedAt === glances ? record : undefined
    },
    async note({ directory, facts, seenMs, subdirectories, hasTrace }) {
      const isRacy = BigInt(Math.floor(seenMs)) * 1_000_000n - facts.changedNs < RACY_NS
      if (isRacy || !(await isTrusted(facts, directory))) return
      const file = hasTrace ? onlyFileAt(parts, nodePath.join(directory, options.fileName)) : undefined
      if (hasTrace && file === undefined) return
      known.set(directory, {
        device: facts.device,
        inode: facts.inode,
        changedNs: facts.changedNs,
        subdirectories: subdirectories.length === 0 ? NONE : subdirectories,
        file,
        trace: undefined,
        unchangedAt: 0,
      })
    },
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

function* inGroups<K, V>(map: ReadonlyMap<K, V>, size: number): Iterable<[K, V][]> {
  let group: [K, V][] = []
  for (const entry of map) {
    group.push(entry)
    if (group.length < size) continue
    yield group
    group = []
  }
  if (group.length > 0) yield group
}
