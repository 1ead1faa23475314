import { access, open, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { withFileLock } from './file-lock.ts'

const READ_BYTES = 1024 * 1024
const STANDSTILL_MS = 30_000

export interface AppendOptions {
  /** The last characters of the line. If the file already has a line that ends with them, nothing is written. */
  readonly unlessPresent?: string | undefined
  /** Whether to wait until the line is on the disk, not only in the page cache. */
  readonly durable: boolean
  /** Writes once, like `write(2)`: it may take fewer bytes than given. Tests inject faults here. */
  readonly write?: WriteOnce
}

export type WriteOnce = (file: FileHandle, bytes: Buffer) => Promise<number>

const writeOnce: WriteOnce = async (file, bytes) => (await file.write(bytes)).bytesWritten

/**
 * Appends one line (given without its newline) to a file that other processes may also append to.
 * A torn last line, left by a killed writer, is terminated first.
 * Returns `false` if the line was there already. Throws with path and cause if it cannot be written.
 */
export async function appendLine(file: string, line: string, options: AppendOptions): Promise<boolean> {
  try {
    // SQLite, which creates the lock file, does not report the cause if the directory is missing.
    await access(path.dirname(file))
    const { handle, appended } = await withFileLock(lockOf(file), () => openAndAppend(file, line, options), {
      standstillMs: STANDSTILL_MS,
    })
    try {
      // After the lock is released, so that other writers can append meanwhile and one sync serves several. A line that
      // was there already is synced too: the call that wrote it may have been killed before its sync.
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
  // A killed writer wrote everything but the newline: adding it completes that line.
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
 * One write, which Linux appends as a whole. If the system takes only a part (disk full, quota), the call fails and
 * leaves that part as a torn line, which the next append terminates. It is not truncated: a reader may have passed it,
 * and would read a truncated file again from its start.
 */
async function writeWhole(handle: FileHandle, bytes: Buffer, write: WriteOnce): Promise<void> {
  const written = await write(handle, bytes)
  if (written === bytes.length) return
  throw new Error(
    `only ${String(written)} of ${String(bytes.length)} bytes were written. Is the disk full? The next append terminates the torn line`,
  )
}

/** Reads in chunks that overlap by the text's length, so that no chunk boundary can hide it. */
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
  if (code === 'ENOENT') return '. Create the working directory before the first entry.'
  if (code === 'EACCES' || code === 'EROFS') return '. The build needs permission to write there.'
  if (code === 'EISDIR') return '. A directory has the name of the trace file.'
  return ''
}
