import { access, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { withFileLock } from './file-lock.ts'

const READ_BYTES = 1024 * 1024
const STANDSTILL_MS = 30_000

export interface AppendOptions {
  /** The line's last bytes before its end. A file that holds a line ending so already stays as it is. */
  readonly unlessPresent?: string | undefined
  /** Whether the line must be on the disk, and not only in the system's memory, before this returns. */
  readonly durable: boolean
  /** Writes once, as `write(2)` does: may take fewer bytes than given. Tests pass one with faults. */
  readonly write?: WriteOnce
}

export type WriteOnce = (file: FileHandle, bytes: Buffer) => Promise<number>

const writeOnce: WriteOnce = async (file, bytes) => (await file.write(bytes)).bytesWritten

/**
 * Appends one line (given without its end) to a file that other processes append to as well.
 * An unfinished last line, left by a writer that was killed, is closed first.
 * Returns `false` where the line stood there already. Throws with the path and the cause where it cannot be written.
 */
export async function appendLine(file: string, line: string, options: AppendOptions): Promise<boolean> {
  try {
    // SQLite, which makes the lock file, does not say what it misses.
    await access(path.dirname(file))
    const { handle, appended } = await withFileLock(lockOf(file), () => openAndAppend(file, line, options), {
      standstillMs: STANDSTILL_MS,
    })
    try {
      // Without the lock: others append meanwhile, and the disk syncs several writers' lines at once. A line that
      // stood there already is synced too: the call that wrote it may have been killed before it could.
      if (options.durable) await handle.datasync()
      return appended
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new Error(`cannot append to ${file}: ${(error as Error).message}${hint(error)}`, { cause: error })
  }
}

/** `dir/audit_trace.jsonl` → `dir/.audit_trace.jsonl.lock` */
const lockOf = (file: string): string => path.join(path.dirname(file), `.${path.basename(file)}.lock`)

async function openAndAppend(
  file: string,
  line: string,
  options: AppendOptions,
): Promise<{ handle: FileHandle; appended: boolean }> {
  const handle = await open(file, 'a+')
  try {
    return { handle, appended: await append(handle, line, options) }
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function append(handle: FileHandle, line: string, options: AppendOptions): Promise<boolean> {
  const tail = await lastLineState(handle, options.unlessPresent)
  if (tail === 'present') return false
  // A killed writer got everything out but the line's end: with it the line is there, and once.
  const bytes = tail === 'present but open' ? '\n' : `${tail === 'torn' ? '\n' : ''}${line}\n`
  await writeWhole(handle, Buffer.from(bytes), options.write ?? writeOnce)
  return tail !== 'present but open'
}

type LastLine = 'whole' | 'torn' | 'present' | 'present but open'

async function lastLineState(handle: FileHandle, wanted: string | undefined): Promise<LastLine> {
  if (wanted !== undefined && (await holds(handle, `${wanted}\n`))) return 'present'
  const { size } = await handle.stat()
  if (size === 0 || (await textAt(handle, size - 1, 1)) === '\n') return 'whole'
  if (wanted === undefined) return 'torn'
  const length = Buffer.byteLength(wanted)
  return size >= length && (await textAt(handle, size - length, length)) === wanted
    ? 'present but open'
    : 'torn'
}

/**
 * One write, which Linux appends undivided. Where the system takes a part only (a full disk, a quota) the call
 * fails and leaves that part as an unfinished line, which the next append closes. It is not taken back: a reader
 * may be past it already, and a file that shrinks is read again from its start.
 */
async function writeWhole(handle: FileHandle, bytes: Buffer, write: WriteOnce): Promise<void> {
  const written = await write(handle, bytes)
  if (written === bytes.length) return
  throw new Error(`only ${String(written)} of ${String(bytes.length)} bytes were taken. Is the disk full?`)
}

/** Reads in pieces that overlap by the text's length, so that no border can hide it. */
async function holds(handle: FileHandle, text: string): Promise<boolean> {
  const wanted = Buffer.from(text)
  const buffer = Buffer.alloc(READ_BYTES + wanted.length)
  for (let position = 0; ; position += READ_BYTES) {
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position)
    if (buffer.subarray(0, bytesRead).includes(wanted)) return true
    if (bytesRead < buffer.length) return false
  }
}

async function textAt(handle: FileHandle, position: number, length: number): Promise<string> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position)
  return buffer.toString('utf8', 0, bytesRead)
}

function hint(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return '. The working directory must exist before the first entry.'
  if (code === 'EACCES' || code === 'EROFS') return '. The builds must be able to write there.'
  if (code === 'EISDIR') return '. A directory stands where the trace should be.'
  return ''
}
