import fs from 'node:fs'
import path from 'node:path'
import type { Scratch } from './scratch.ts'

/** Where one entry stands in its file, and when it counts. */
export interface FileSpot {
  readonly timeMs: number
  /** Byte offset of the line. */
  readonly at: number
  readonly length: number
  /** Counts from 1. */
  readonly line: number
}

/** A growing list of spots. It is held in memory as long as it is short, then in a temporary file. */
export interface SpotFile {
  add(timeMs: number, at: number, length: number, line: number): void
  count(): number
  /** The spots from one index up to another one, which is not included. */
  read(from: number, to: number): SpotBlock
  /** Replaces the times from an index on. */
  setTimes(from: number, times: Float64Array): void
  close(): void
}

/** Some consecutive spots. */
export interface SpotBlock {
  readonly length: number
  time(n: number): number
  get(n: number): FileSpot
}

/** Time and offset as doubles, length and line as 32-bit numbers. */
const SPOT_BYTES = 24
/** 4 MiB at a time are written to the file. */
const PART_SPOTS = Math.floor((4 << 20) / SPOT_BYTES)
/** Lists of up to 700,000 spots need no file. */
const PARTS_IN_MEMORY = 4

export function createSpotFile(scratch: Scratch): SpotFile {
  let handle: number | undefined
  /** The parts in memory; before them stand `stored` spots in the file. */
  let parts: Buffer[] = [Buffer.allocUnsafe(PART_SPOTS * SPOT_BYTES)]
  let stored = 0
  let count = 0

  /** Moves all parts to the file and begins a new one. */
  function store(): void {
    handle ??= openUnnamed(scratch)
    for (const part of parts) {
      writeExactly(handle, part, stored * SPOT_BYTES)
      stored += PART_SPOTS
    }
    parts = [parts[0] as Buffer]
  }

  function write(from: number, bytes: Buffer): void {
    let done = 0
    if (from < stored) {
      done = Math.min(bytes.length, (stored - from) * SPOT_BYTES)
      writeExactly(handle as number, bytes.subarray(0, done), from * SPOT_BYTES)
    }
    for (; done < bytes.length;) {
      const [part, at] = inMemory(from + done / SPOT_BYTES)
      done += bytes.copy(part, at, done)
    }
  }

  function read(from: number, to: number): Buffer {
    const bytes = Buffer.allocUnsafe((to - from) * SPOT_BYTES)
    let done = 0
    if (from < stored) {
      done = Math.min(bytes.length, (stored - from) * SPOT_BYTES)
      readExactly(handle as number, bytes.subarray(0, done), from * SPOT_BYTES)
    }
    for (; done < bytes.length;) {
      const [part, at] = inMemory(from + done / SPOT_BYTES)
      done += part.copy(bytes, done, at, at + bytes.length - done)
    }
    return bytes
  }

  /** The part that holds this spot, and where in it. */
  function inMemory(n: number): readonly [part: Buffer, at: number] {
    const index = n - stored
    return [parts[Math.floor(index / PART_SPOTS)] as Buffer, (index % PART_SPOTS) * SPOT_BYTES]
  }

  return {
    add(timeMs, at, length, line) {
      if (count - stored === parts.length * PART_SPOTS) {
        if (handle !== undefined || parts.length === PARTS_IN_MEMORY) store()
        else parts.push(Buffer.allocUnsafe(PART_SPOTS * SPOT_BYTES))
      }
      const [part, start] = inMemory(count)
      part.writeDoubleLE(timeMs, start)
      part.writeDoubleLE(at, start + 8)
      part.writeUInt32LE(length, start + 16)
      part.writeUInt32LE(line, start + 20)
      count++
    },
    count: () => count,
    read: (from, to) => blockOf(read(from, to)),
    setTimes(from, times) {
      const bytes = read(from, from + times.length)
      for (const [n, timeMs] of times.entries()) bytes.writeDoubleLE(timeMs, n * SPOT_BYTES)
      write(from, bytes)
    },
    close() {
      if (handle !== undefined) fs.closeSync(handle)
      handle = undefined
    },
  }
}

const blockOf = (bytes: Buffer): SpotBlock => ({
  length: bytes.length / SPOT_BYTES,
  time: (n) => bytes.readDoubleLE(n * SPOT_BYTES),
  get(n) {
    const start = n * SPOT_BYTES
    return {
      timeMs: bytes.readDoubleLE(start),
      at: bytes.readDoubleLE(start + 8),
      length: bytes.readUInt32LE(start + 16),
      line: bytes.readUInt32LE(start + 20),
    }
  },
})

/** A file that has no name any more: it is gone with the process, whatever ends it. */
function openUnnamed(scratch: Scratch): number {
  const file = path.join(scratch.directory(), 'positions')
  const handle = fs.openSync(file, 'wx+')
  fs.unlinkSync(file)
  return handle
}

function writeExactly(handle: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;)
    done += fs.writeSync(handle, bytes, done, bytes.length - done, at + done)
}

function readExactly(handle: number, bytes: Buffer, at: number): void {
  for (let done = 0; done < bytes.length;) {
    const got = fs.readSync(handle, bytes, done, bytes.length - done, at + done)
    if (got === 0) throw new Error('a temporary file is shorter than what was written to it')
    done += got
  }
}
