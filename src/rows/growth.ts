import type { Events } from '../events.ts'
import { linesOf, unfinishedOf, type History, type HistoryOptions } from '../history/history.ts'
import type { Progress } from '../history/progress.ts'
import { createRecorder, SILENT } from '../history/recorder.ts'
import { listRotated } from '../history/rotated.ts'
import type { Scratch } from '../history/scratch.ts'
import { createTimeline } from '../history/timeline.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createReader } from '../tail/reader.ts'
import type { Registry } from '../tail/registry.ts'
import { createTail } from '../tail/tail.ts'
import { lagBytes, type TrackedFile } from '../tail/tracked-file.ts'

export interface GrowthDeps {
  readonly registry: Registry
  readonly events: Events
  readonly progress: Progress
  readonly scratch: Scratch
  readonly nowMs: number
  readonly monotonicMs: () => number
  readonly stopped: () => boolean
}

/** What has been written since the last run. */
export type Growth = Pick<
  History,
  | 'entries'
  | 'outOfOrder'
  | 'inFuture'
  | 'rejectedLines'
  | 'unfinished'
  | 'rotated'
  | 'bytes'
  | 'lines'
  | 'close'
> & {
  /** Whether something could not be looked at or read. */
  readonly isComplete: boolean
}

const SLICE_BYTES = 1024 * 1024
const MAX_OPEN_FILES = 256
const COLD_AFTER_MS = 300_000
const FORGET_AFTER_MS = 7 * 86_400_000

/**
 * Reads what the traces below the paths have grown by, with the tail of `watch`: rotated files are followed, copies are
 * recognised, a file that begins anew is read from its start. The positions in the registry move on; nothing is committed.
 */
export async function readGrowth(options: HistoryOptions, deps: GrowthDeps): Promise<Growth> {
  const { registry, stopped, progress } = deps
  const timeline = createTimeline(deps.scratch, deps.nowMs)
  const numbers = new Map<TrackedFile, number>()
  const files: TrackedFile[] = []
  let inTurn = 0
  const { sink, counts } = createRecorder({ sink: SILENT, nowMs: deps.nowMs }, timeline, () => inTurn)
  const reader = createReader(sink, { maxLineBytes: options.maxLineBytes, sliceBytes: SLICE_BYTES })
  let totalBytes = 0
  const tail = createTail(
    {
      fs: nodeFileSystem,
      registry,
      events: deps.events,
      now: () => deps.nowMs,
      monotonicMs: deps.monotonicMs,
      onRotation: () => undefined,
      makeDurable: () => Promise.resolve(),
      reader: {
        // Slices of several files take turns, each read to its end before the next one begins.
        readSlice(file, handle, nowMs) {
          inTurn = numbers.get(file) ?? files.push(file) - 1
          numbers.set(file, inTurn)
          progress.update('reading', counts.bytes, totalBytes, 'B')
          return reader.readSlice(file, handle, nowMs)
        },
      },
    },
    {
      ...options,
      roots: options.paths,
      coldAfterMs: COLD_AFTER_MS,
      maxOpenFiles: MAX_OPEN_FILES,
      forgetAfterMs: FORGET_AFTER_MS,
    },
  )
  try {
    await tail.scan(stopped)
    for (const file of registry.all()) totalBytes += lagBytes(file)
    await tail.drain(stopped)
  } finally {
    await tail.close()
  }
  const pathOf = (n: number): string => (files[n] as TrackedFile).path
  timeline.end((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1))
  const known = [...registry.all()]
  return {
    entries: timeline.count(),
    outOfOrder: counts.outOfOrder,
    inFuture: counts.inFuture,
    rejectedLines: counts.rejectedLines,
    bytes: counts.bytes,
    unfinished: unfinishedOf(known),
    rotated: listRotated(known.map((file) => file.path)),
    lines: () => linesOf(timeline, files),
    close: () => timeline.close(),
    isComplete: !stopped() && !tail.hasTransientFailures(),
  }
}
