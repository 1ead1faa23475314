import { isMissing, type FileFacts, type FileSystem, type OpenFile } from '../tail/file-system.ts'
import type { Stretch } from './recent-build.ts'

/** At most so much of a file is read for one build. */
export const MAX_STRETCH_BYTES = 16 * 1024 * 1024
/** A longer line is passed over. */
const MAX_SHOWN_LINE_BYTES = 2 * 1024 * 1024
const CHUNK_BYTES = 256 * 1024
const NEWLINE = 10

/** Which file is meant: its path alone does not say. */
export type FileIdentity = Pick<FileFacts, 'device' | 'inode'> & { readonly path: string }

export interface StretchRead {
  /** `gone`: nothing is at the path. `replaced`: another file is there. `shorter`: the file ends before the stretch does. */
  readonly state: 'whole' | 'cut' | 'gone' | 'replaced' | 'shorter'
  /** Lines that were passed over. */
  readonly tooLong: number
}

/**
 * Hands on the lines of a stretch of a file, in bounded memory, and yields between pieces. Reads no other file than the
 * one meant, whatever has come to stand at its path. Throws what the file system throws.
 */
export async function readStretch(
  fs: FileSystem,
  identity: FileIdentity,
  { from, to }: Pick<Stretch, 'from' | 'to'>,
  onLine: (line: Buffer) => void,
): Promise<StretchRead> {
  const state = await stateOf(fs, identity, to)
  if (state !== 'whole' && state !== 'shorter') return { state, tooLong: 0 }
  const handle = await fs.open(identity.path)
  try {
    if (!isSame(await handle.facts(), identity)) return { state: 'replaced', tooLong: 0 }
    const end = Math.min(to, from + MAX_STRETCH_BYTES)
    const tooLong = await readLines(handle, from, end, onLine)
    return { state: end < to ? 'cut' : state, tooLong }
  } finally {
    await handle.close()
  }
}

/** Looked at before it is opened: opening a pipe would wait for its writer. */
async function stateOf(fs: FileSystem, identity: FileIdentity, to: number): Promise<StretchRead['state']> {
  try {
    const facts = await fs.stat(identity.path)
    if (!isSame(facts, identity)) return 'replaced'
    return facts.size < to ? 'shorter' : 'whole'
  } catch (error) {
    if (isMissing(error)) return 'gone'
    throw error
  }
}

const isSame = (facts: FileFacts, { device, inode }: FileIdentity): boolean =>
  facts.isFile && facts.device === device && facts.inode === inode

async function readLines(
  handle: OpenFile,
  from: number,
  end: number,
  onLine: (line: Buffer) => void,
): Promise<number> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  let tooLong = 0
  let parts: Buffer[] = []
  let length = 0
  const take = (piece: Buffer): void => {
    length += piece.length
    if (length <= MAX_SHOWN_LINE_BYTES) parts.push(Buffer.from(piece))
    else parts = []
  }
  const endLine = (): void => {
    if (length > MAX_SHOWN_LINE_BYTES) tooLong++
    else if (length > 0) onLine(Buffer.concat(parts))
    parts = []
    length = 0
  }
  for (let at = from; at < end;) {
    const got = await handle.read(chunk, 0, Math.min(chunk.length, end - at), at)
    if (got === 0) break
    let start = 0
    const data = chunk.subarray(0, got)
    for (let stop = data.indexOf(NEWLINE); stop >= 0; stop = data.indexOf(NEWLINE, start)) {
      take(data.subarray(start, stop))
      endLine()
      start = stop + 1
    }
    take(data.subarray(start))
    at += got
  }
  endLine()
  return tooLong
}
