import type { FileFacts, FileSystem, OpenFile } from './file-system.ts'
import { MARKER_BYTES } from './digest.ts'
import type { TrackedFile } from './tracked-file.ts'

/**
 * Opens and reads files whose turns come soon, several at once: most files of many are small, and waiting for the disk
 * four times for each is most of the time that they take. What was read is used in the file's turn, in order.
 */
export interface ReadAhead {
  /** The turns of these files come next, from this index on. */
  prepare(files: readonly TrackedFile[], from: number): void
  /**
   * The file as it was opened ahead; `undefined` if it was not, or could not be read. Good until the next call. Whoever
   * takes it closes it, or keeps `plain`.
   */
  take(file: TrackedFile): Promise<OpenedAhead | undefined>
  /** Closes what was not taken. */
  end(): Promise<void>
}

/** Gives the facts and bytes that were there when it was opened, and reads all others from the file. */
interface OpenedAhead extends OpenFile {
  /** The file itself. */
  readonly plain: OpenFile
  /** Where the bytes are. */
  readonly buffer: Buffer | undefined
}

const MOST = 16
/** Larger files are worth a wait each. */
const MAX_BYTES = 64 * 1024

/** `maxOpenFiles`: so many may be open; a quarter of them more are opened ahead. */
export function createReadAhead(fs: FileSystem, maxOpenFiles: number): ReadAhead {
  const atOnce = Math.min(MOST, Math.floor(maxOpenFiles / 4))
  const ahead = new Map<TrackedFile, Promise<OpenedAhead | undefined>>()
  const free: Buffer[] = []
  /** Of the file that was taken last. */
  let lent: Buffer | undefined

  function lend(opened: OpenedAhead | undefined): void {
    if (lent !== undefined) free.push(lent)
    lent = opened?.buffer
  }

  return {
    prepare(files, from) {
      if (ahead.size > atOnce / 2) return
      for (const file of files.slice(from, from + atOnce))
        if (!ahead.has(file))
          ahead.set(
            file,
            openAhead(fs, file, () => free.pop()),
          )
    },
    async take(file) {
      const opening = ahead.get(file)
      ahead.delete(file)
      const opened = await opening
      lend(opened)
      return opened
    },
    async end() {
      const left = [...ahead.values()]
      ahead.clear()
      for (const opening of left) {
        const opened = await opening
        lend(opened)
        await opened?.close().catch(() => undefined)
      }
      lent = undefined
      free.length = 0
    },
  }
}

/** Never rejects: whatever fails is tried again in the file's turn. */
async function openAhead(
  fs: FileSystem,
  { path, scannedTo }: TrackedFile,
  freeBuffer: () => Buffer | undefined,
): Promise<OpenedAhead | undefined> {
  const plain = await fs.open(path).catch(() => undefined)
  if (plain === undefined) return undefined
  try {
    const facts = await plain.facts()
    const from = Math.max(0, scannedTo - MARKER_BYTES)
    const wanted = Math.max(0, facts.size - from)
    if (wanted > MAX_BYTES) return asOf(plain, facts, from, undefined, 0)
    const buffer = freeBuffer() ?? Buffer.allocUnsafeSlow(MAX_BYTES)
    let filled = 0
    while (filled < wanted) {
      const got = await plain.read(buffer, filled, wanted - filled, from + filled)
      if (got === 0) break
      filled += got
    }
    return asOf(plain, facts, from, buffer, filled)
  } catch {
    await plain.close().catch(() => undefined)
    return undefined
  }
}

function asOf(
  plain: OpenFile,
  facts: FileFacts,
  from: number,
  buffer: Buffer | undefined,
  filled: number,
): OpenedAhead {
  return {
    plain,
    buffer,
    facts: () => Promise.resolve(facts),
    read(into, offset, length, position) {
      const at = position - from
      if (buffer === undefined || at < 0 || at > filled) return plain.read(into, offset, length, position)
      return Promise.resolve(buffer.copy(into, offset, at, Math.min(filled, at + length)))
    },
    close: () => plain.close(),
  }
}
