import type { Fault } from './entry/parse.ts'
import type { Entry } from './entry/parsed.ts'
import { splitWelded } from './entry/welded.ts'
import type { LinePlace } from './events.ts'
import type { LineVerdict } from './tail/reader.ts'

export interface PartHandler {
  entry(entry: Entry, place: LinePlace): void
  rejected(fault: Fault, place: LinePlace): void
}

/**
 * Hands on the parts of a line that holds whole entries next to torn ones, each with its own place, and says how many
 * bytes are rejected. `line` comes without its end. Returns `undefined`, and hands on nothing, if there is no whole
 * entry in the line.
 */
export function readWelded(line: Buffer, place: LinePlace, handler: PartHandler): LineVerdict | undefined {
  const parts = splitWelded(line, place.length)
  if (parts === undefined) return undefined
  let rejectedBytes = 0
  for (const { offset, length, parsed } of parts) {
    const at: LinePlace = { ...place, offset: place.offset + offset, length }
    if (parsed.ok) handler.entry(parsed.entry, at)
    else {
      rejectedBytes += length
      handler.rejected(parsed.fault, at)
    }
  }
  return { rejectedBytes }
}
