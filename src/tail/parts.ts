import type { Events, FileOperation } from '../events.ts'
import { createFailures, type Failures } from './failures.ts'
import { observed, type FileSystem } from './file-system.ts'
import { createHandles, type Handles } from './handles.ts'
import { createReadQueue, type ReadQueue } from './read-queue.ts'
import type { Registry } from './registry.ts'
import type { ScanOptions } from './scan.ts'
import { createSiblings, type Siblings } from './siblings.ts'
import type { TrackedFile } from './tracked-file.ts'

export interface TailOptions extends ScanOptions {
  readonly roots: readonly string[]
  readonly maxLineBytes: number
  /** A file quiet for longer is closed; the next scan finds what is added to it. */
  readonly coldAfterMs: number
  readonly maxOpenFiles: number
  /** A file without a path is forgotten after this long. */
  readonly forgetAfterMs: number
  /** How many settled directories a scan looks at that is not to look at all. */
  readonly turnsAScan?: number
}

export interface PartsDeps {
  readonly fs: FileSystem
  readonly registry: Registry
  readonly events: Events
  /** Wall clock. */
  readonly now: () => number
  /** Never jumps: a retry must not wait for a clock that was set back. */
  readonly monotonicMs: () => number
  readonly onRotation: () => void
}

/** What the steps of tailing share. */
export interface Parts extends PartsDeps {
  readonly options: TailOptions
  readonly handles: Handles
  readonly queue: ReadQueue
  readonly siblings: Siblings
  /** Files that could not be read or looked at. */
  readonly failures: Failures<TrackedFile>
  /** Directories and roots that could not be listed or looked at. */
  readonly unreachable: Failures<string>
  /** Paths that are not read and were reported, once each. */
  readonly skipped: Set<string>
  /** A file failed: it is closed, and tried again with backoff. */
  fail(file: TrackedFile, operation: FileOperation, error: unknown): Promise<void>
  /** A file could be read or looked at again. */
  recover(file: TrackedFile): void
}

export function createParts(deps: PartsDeps, options: TailOptions): Parts {
  const { registry, events } = deps
  const fs = observed(deps.fs, (facts) => registry.learn(facts))
  const handles = createHandles(fs, options.maxOpenFiles)
  const failures = createFailures<TrackedFile>(deps.monotonicMs)
  const unreachable = createFailures<string>(deps.monotonicMs)
  const siblings = createSiblings(
    fs,
    options.fileName,
    (file, facts) => registry.find(facts) === file,
    deps.now,
  )
  const skipped = new Set<string>()
  const queue = createReadQueue(failures, recover)

  async function fail(file: TrackedFile, operation: FileOperation, error: unknown): Promise<void> {
    // A stale handle, as after a network file system went away, never recovers; a deleted file has no other.
    if (!handles.isDeleted(file)) await handles.close(file)
    failures.add(file, error)
    queue.drop(file)
    file.noteError(error instanceof Error ? error.message : String(error))
    events.fileFailed(file.path, operation, error)
  }

  function recover(file: TrackedFile): void {
    if (!failures.remove(file)) return
    file.noteError(undefined)
    events.fileRecovered(file.path)
  }

  return { ...deps, fs, options, handles, queue, siblings, failures, unreachable, skipped, fail, recover }
}
