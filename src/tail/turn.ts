import type { FileOperation } from '../events.ts'
import { isMissing, type OpenFile } from './file-system.ts'
import type { Locator } from './locator.ts'
import type { Parts } from './parts.ts'
import { createReadAhead } from './read-ahead.ts'
import type { Reader } from './reader.ts'
import type { TrackedFile } from './tracked-file.ts'

/** Reads files of the queue, one slice a turn. */
export interface Turns {
  /** The turns of these files come next, from this index on. */
  prepare(files: readonly TrackedFile[], from: number): void
  /** Reads a slice of the file, and moves the file to the end of the queue or out of it. Never throws. */
  take(file: TrackedFile): Promise<void>
  /** No turn follows for a while. */
  end(): Promise<void>
}

/** It has not been written to for so long that no poll has to look at it. */
const isCold = ({ handles, now, options }: Parts, file: TrackedFile): boolean =>
  !handles.isDeleted(file) && now() - Number(file.modifiedNs / 1_000_000n) > options.coldAfterMs

export function createTurns(parts: Parts, locator: Locator, reader: Reader): Turns {
  /** Opened by their path, they were another file: some file systems report different inodes for paths and handles. */
  const mistaken = new WeakSet<TrackedFile>()
  const { fs, handles, queue, options } = parts
  const ahead = createReadAhead(fs, options.maxOpenFiles)

  /** The file's handle; opened by path, it may turn out to be another file's: `undefined` then. */
  async function handleOf(file: TrackedFile): Promise<OpenFile | undefined> {
    const opened = await ahead.take(file)
    const known = handles.use(file)
    if (known !== undefined) {
      await opened?.close().catch(() => undefined)
      return known
    }
    const handle = await handles.open(file, opened?.plain)
    if (locator.same(file, await (opened ?? handle).facts())) {
      mistaken.delete(file)
      return opened ?? handle
    }
    await handles.close(file)
    return undefined
  }

  async function findAgain(file: TrackedFile): Promise<void> {
    queue.drop(file)
    if (mistaken.delete(file)) {
      await parts.fail(file, 'open', new Error('The path and the open handle refer to different files.'))
      return
    }
    mistaken.add(file)
    parts.siblings.begin()
    await locator.locate(file)
  }

  return {
    prepare: (files, from) => ahead.prepare(files, from),
    end: () => ahead.end(),
    async take(file) {
      let operation: FileOperation = 'open'
      try {
        const handle = await handleOf(file)
        if (handle === undefined) return await findAgain(file)
        operation = 'read'
        const rest = await reader.readSlice(file, handle, parts.now())
        if (rest === 'more') queue.again(file)
        else {
          queue.drop(file)
          if (isCold(parts, file)) void handles.close(file)
        }
        parts.recover(file)
      } catch (error) {
        if (operation === 'open' && isMissing(error)) {
          queue.drop(file)
          parts.siblings.begin()
          await locator.locate(file)
        } else await parts.fail(file, operation, error)
      }
    },
  }
}
