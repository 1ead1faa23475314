import nodePath from 'node:path'
import type { FileFacts, FileSystem } from './file-system.ts'
import { rotatedKind } from './names.ts'
import type { Sighting } from './sightings.ts'
import type { TrackedFile } from './tracked-file.ts'

/** Finds files that are no longer at their path, beside it: rotation renames within a directory. */
export interface Siblings {
  /**
   * The file under any name in its directory. The directory is listed once within a look, however many files are
   * missing in it. For a file that was missing before, only what has changed since is looked at.
   */
  find(file: TrackedFile): Promise<Sighting | undefined>
  /** Begins a look: nothing is taken from the one before. */
  begin(): void
  /** The modification time of a directory, as a scan has just seen it. */
  noteTime(directory: string, modifiedNs: bigint): void
  /** Whether nothing has changed where a file that was missing before could be. */
  unchanged(file: TrackedFile): Promise<boolean>
  /** Drops what is known of directories in which no file was missing since the last call. */
  prune(): void
}

interface Searched {
  /** Of the directory before it was listed; -1 if it changed so shortly before that a further change may not show. */
  readonly modifiedNs: bigint
  readonly names: ReadonlySet<string>
}

/** Clocks of file systems are coarse: a directory changed within this time may change again without a trace. */
const RACY_NS = 2_000_000_000n
const AT_ONCE = 16
const NOWHERE = -2n

export function createSiblings(
  fs: FileSystem,
  fileName: string,
  same: (file: TrackedFile, facts: FileFacts) => boolean,
  now: () => number,
): Siblings {
  /** What searches of earlier looks have seen; only of directories with missing files. */
  const searched = new Map<string, Searched>()
  const asked = new Set<string>()
  /** Of this look: files by device and inode. */
  let listed = new Map<string, { full: boolean; byIdentity: Map<string, Sighting> }>()
  const times = new Map<string, bigint>()
  /** When this look began: before anything was asked of the disk, which may answer late. */
  let beganMs = now()

  async function timeOf(directory: string): Promise<bigint> {
    const known = times.get(directory)
    if (known !== undefined) return known
    const modifiedNs = await fs.stat(directory).then(
      (facts) => facts.modifiedNs,
      () => NOWHERE,
    )
    times.set(directory, modifiedNs)
    return modifiedNs
  }

  async function search(directory: string, full: boolean): Promise<Map<string, Sighting>> {
    const known = listed.get(directory)
    if (known !== undefined && (known.full || !full)) return known.byIdentity
    const modifiedNs = await timeOf(directory)
    const before = full ? undefined : searched.get(directory)
    const names = await fs.list(directory).then(
      (entries) => entries.filter(({ kind }) => kind === 'file').map(({ name }) => name),
      () => [],
    )
    const wanted = names.filter((name) => !before?.names.has(name) || isReused(name, fileName))
    const byIdentity = await look(fs, directory, wanted)
    listed.set(directory, { full, byIdentity })
    const isRacy = BigInt(Math.floor(beganMs)) * 1_000_000n - modifiedNs < RACY_NS
    searched.set(directory, { modifiedNs: isRacy ? -1n : modifiedNs, names: new Set(names) })
    return byIdentity
  }

  return {
    async find(file) {
      const directory = nodePath.dirname(file.path)
      asked.add(directory)
      const byIdentity = await search(directory, file.missingSinceMs === undefined)
      const found = byIdentity.get(identity(file))
      return found !== undefined && same(file, found.facts) ? found : undefined
    },
    begin() {
      listed = new Map()
      times.clear()
      beganMs = now()
    },
    noteTime(directory, modifiedNs) {
      if (searched.has(directory)) times.set(directory, modifiedNs)
    },
    async unchanged(file) {
      const directory = nodePath.dirname(file.path)
      asked.add(directory)
      const before = searched.get(directory)
      return before !== undefined && before.modifiedNs === (await timeOf(directory))
    },
    prune() {
      for (const directory of searched.keys()) if (!asked.has(directory)) searched.delete(directory)
      asked.clear()
    },
  }
}

/** Names that rotation uses again and again: another file may have one than at the last search. */
const isReused = (name: string, fileName: string): boolean =>
  name === fileName || rotatedKind(name, fileName) !== undefined

const identity = ({ device, inode }: { device: bigint; inode: bigint }): string => `${device}:${inode}`

async function look(
  fs: FileSystem,
  directory: string,
  names: readonly string[],
): Promise<Map<string, Sighting>> {
  const byIdentity = new Map<string, Sighting>()
  for (let i = 0; i < names.length; i += AT_ONCE) {
    const paths = names.slice(i, i + AT_ONCE).map((name) => nodePath.join(directory, name))
    await Promise.all(
      paths.map(async (path) => {
        const facts = await fs.stat(path).catch(() => undefined)
        if (facts !== undefined) byIdentity.set(identity(facts), { path, facts })
      }),
    )
  }
  return byIdentity
}
