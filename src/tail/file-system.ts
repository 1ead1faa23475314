import { close as fsClose, fstat, open, read, stat } from 'node:fs'
import fs from 'node:fs/promises'

/** Identity, times and size of a file. Nanoseconds and ids need all their bits, so they are bigints. */
export interface FileFacts {
  readonly device: bigint
  readonly inode: bigint
  /** 0 where the file system keeps no birth time. */
  readonly birthNs: bigint
  readonly changedNs: bigint
  readonly modifiedNs: bigint
  readonly size: number
  readonly links: number
  readonly isFile: boolean
  readonly isDirectory: boolean
}

export interface OpenFile {
  facts(): Promise<FileFacts>
  /** Reads up to `length` bytes at `position`; returns how many there were. */
  read(buffer: Buffer, offset: number, length: number, position: number): Promise<number>
  close(): Promise<void>
}

export interface DirectoryEntry {
  readonly name: string
  readonly kind: 'file' | 'directory' | 'link' | 'other'
}

/** The file system as tailing needs it; tests put faults in its place. Errors are Node's, with their `code`. */
export interface FileSystem {
  open(path: string): Promise<OpenFile>
  /** Follows symbolic links. */
  stat(path: string): Promise<FileFacts>
  /** A link's own facts: neither file nor directory. */
  lstat(path: string): Promise<FileFacts>
  list(directory: string): Promise<DirectoryEntry[]>
  /** The path with every link resolved. */
  resolve(path: string): Promise<string>
  /**
   * The same as `stat` for each of the paths, at a third of its cost; `undefined` where `stat` would throw. A file system
   * without it is asked for one path after another.
   */
  readonly statAll?: ((paths: readonly string[]) => Promise<readonly (FileFacts | undefined)[]>) | undefined
  /** Whether the change time of a directory there changes with each name that comes into it or leaves it. */
  keepsChangeTimes(directory: string): Promise<boolean>
}

interface BigStats {
  dev: bigint
  ino: bigint
  birthtimeNs: bigint
  ctimeNs: bigint
  mtimeNs: bigint
  size: bigint
  nlink: bigint
  isFile(): boolean
  isDirectory(): boolean
}

/** One number for all files of a device: 100,000 known files and directories keep theirs. */
let lastDevice = 0n
const sharedDevice = (device: bigint): bigint => (device === lastDevice ? lastDevice : (lastDevice = device))

const facts = (stats: BigStats): FileFacts => ({
  device: sharedDevice(stats.dev),
  inode: stats.ino,
  birthNs: stats.birthtimeNs,
  changedNs: stats.ctimeNs,
  modifiedNs: stats.mtimeNs,
  size: Number(stats.size),
  links: Number(stats.nlink),
  isFile: stats.isFile(),
  isDirectory: stats.isDirectory(),
})

export const nodeFileSystem: FileSystem = {
  open: async (path) => openedAs(await withCallback<number>((done) => open(path, 'r', done))),
  stat: async (path) => facts(await fs.stat(path, { bigint: true })),
  lstat: async (path) => facts(await fs.lstat(path, { bigint: true })),
  list: async (directory) => {
    const entries = await fs.readdir(directory, { withFileTypes: true })
    return entries.map((entry) => ({
      name: entry.name,
      kind: entry.isFile()
        ? 'file'
        : entry.isDirectory()
          ? 'directory'
          : entry.isSymbolicLink()
            ? 'link'
            : 'other',
    }))
  },
  resolve: (path) => fs.realpath(path),
  statAll: (paths) => Promise.all(paths.map(statOrNothing)),
  keepsChangeTimes: async (directory) =>
    process.platform === 'linux' && LOCAL_FILE_SYSTEMS.has((await fs.statfs(directory)).type),
}

type Callback<T> = (error: NodeJS.ErrnoException | null, value: T) => void

/** Node's calls with callbacks: half of the time of one with a promise is the machinery around it. */
const withCallback = <T>(call: (done: Callback<T>) => void): Promise<T> =>
  new Promise((resolve, reject) => {
    call((error, value) => (error === null ? resolve(value) : reject(error)))
  })

/** A number that was closed may be another file's at once: closing waits for calls, and none follows it. */
function openedAs(descriptor: number): OpenFile {
  let pending = 0
  let closing: Promise<void> | undefined
  let lastEnded: (() => void) | undefined

  async function during<T>(call: (done: Callback<T>) => void): Promise<T> {
    if (closing !== undefined) throw Object.assign(new Error('EBADF: the file is closed'), { code: 'EBADF' })
    pending++
    try {
      return await withCallback(call)
    } finally {
      if (--pending === 0) lastEnded?.()
    }
  }

  async function close(): Promise<void> {
    if (pending > 0) await new Promise<void>((resolve) => (lastEnded = resolve))
    await withCallback<void>((done) => fsClose(descriptor, (error) => done(error ?? null)))
  }

  return {
    facts: async () => facts(await during<BigStats>((done) => fstat(descriptor, { bigint: true }, done))),
    read: (buffer, offset, length, position) =>
      during<number>((done) => read(descriptor, buffer, offset, length, position, done)),
    close: () => (closing ??= close()),
  }
}

/** With a callback and no promise of Node's own: two thirds of the time of `stat` are the machinery around the call. */
const statOrNothing = (path: string): Promise<FileFacts | undefined> =>
  new Promise((resolve) => {
    stat(path, { bigint: true }, (error, stats) => resolve(error === null ? facts(stats) : undefined))
  })

/** By their numbers in Linux: ext2 to ext4, XFS, Btrfs, tmpfs, overlay, ZFS, F2FS. What a network or FUSE mount does, nobody knows. */
const LOCAL_FILE_SYSTEMS = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010,
])

/** The facts of each path, `undefined` for one that cannot be looked at. */
export const factsOfAll = (
  fs: FileSystem,
  paths: readonly string[],
): Promise<readonly (FileFacts | undefined)[]> =>
  fs.statAll?.(paths) ?? Promise.all(paths.map((path) => fs.stat(path).catch(() => undefined)))

/** Node's error code, `''` where there is none. */
export const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''

/** Whether the error says that there is nothing at the path. */
export const isMissing = (error: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(codeOf(error))

/** The same file system; calls `note` with the facts of every `stat`, alone or among others. */
export function observed(fs: FileSystem, note: (facts: FileFacts) => void): FileSystem {
  const { statAll } = fs
  return {
    ...fs,
    statAll:
      statAll &&
      (async (paths) => {
        const all = await statAll(paths)
        for (const facts of all) if (facts !== undefined) note(facts)
        return all
      }),
    async stat(path) {
      const facts = await fs.stat(path)
      note(facts)
      return facts
    },
  }
}
