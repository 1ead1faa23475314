import { open, readFile, type FileHandle } from 'node:fs/promises'

/** A line of a trace without its newline, and the `entry_id` that it ends with. */
export interface TraceLine {
  readonly id: string
  readonly line: string
}

/**
 * Appends the lines whose ids are not in the trace yet, in their order, and waits until they are on the disk. Returns how
 * many it wrote. The file is only ever appended to, so that a reader may tail it; a part of a line, left by a writer that
 * was killed, is completed first. One writer at a time.
 */
export async function appendMissing(file: string, lines: readonly TraceLine[]): Promise<number> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  })
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  const torn = text.slice(whole.length)
  const present = new Set(whole.split('\n').map(idOf))
  const missing = lines.filter(({ id }) => !present.has(id))
  if (missing.length === 0 && torn === '') return 0
  const begun = torn === '' ? undefined : missing.find(({ line }) => line.startsWith(torn))
  const rest = missing.filter((each) => each !== begun)
  const first = torn === '' ? '' : `${begun?.line.slice(torn.length) ?? ''}\n`
  const handle = await open(file, 'a')
  try {
    await writeAll(handle, first + rest.map(({ line }) => `${line}\n`).join(''))
    await handle.datasync()
  } finally {
    await handle.close()
  }
  return missing.length
}

async function writeAll(handle: FileHandle, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at)).bytesWritten
}

function idOf(line: string): string | undefined {
  try {
    const { entry_id: id } = JSON.parse(line) as { entry_id?: unknown }
    return typeof id === 'string' ? id : undefined
  } catch {
    return undefined
  }
}
