import path from 'node:path'
import { misspeltKeys } from '../entry/misspelt.ts'
import { NOT_UTF8, parseLine, type Fault } from '../entry/parse.ts'
import type { Entry } from '../entry/parsed.ts'
import type { LinePlace } from '../events.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createReader, type LineSink, type LineVerdict, type Reader } from '../tail/reader.ts'
import { scan } from '../tail/scan.ts'
import { newFile, pendingBytes } from '../tail/tracked-file.ts'
import { readWelded } from '../welded-line.ts'
import { printable } from './printable.ts'

export interface CheckOptions {
  readonly paths: readonly string[]
  readonly fileName: string
  readonly maxLineBytes: number
  readonly followSymlinks: boolean
  /** Unknown keys that look like a misspelt field are faults, too. */
  readonly strict: boolean
}

export interface CheckResult {
  readonly files: number
  readonly lines: number
  readonly faults: number
}

/** Reports one fault. `field` is `''` for the line or file as a whole. */
type Report = (place: string, field: string, cause: string) => void

const SLICE_BYTES = 256 * 1024

/**
 * Validates every trace below the paths with the reader and the schema that `watch` uses.
 * Calls `print` with one line for each fault: `file:line: field: cause`. Paths without a single trace are a fault.
 */
export async function check(options: CheckOptions, print: (line: string) => void): Promise<CheckResult> {
  let faults = 0
  let lines = 0
  const report: Report = (place, field, cause) => {
    faults++
    print(printable(`${place}: ${field === '' ? '' : `${field}: `}${cause}`))
  }
  const sink = createSink(options, report, () => lines++)
  const reader = createReader(sink, { maxLineBytes: options.maxLineBytes, sliceBytes: SLICE_BYTES })

  const roots = options.paths.map((root) => path.resolve(root))
  const { found, missingRoots } = await scan(
    nodeFileSystem,
    roots,
    options,
    (where, operation, error) => report(where, '', `cannot ${operation}: ${(error as Error).message}`),
    (where, reason) => {
      if (reason === 'not_a_file') report(where, '', 'neither a file nor a directory')
      // By design, and no fault of the traces.
      else print(printable(`${where}: not checked: the link leads out of the paths (see --follow-symlinks)`))
    },
  )
  for (const root of missingRoots) report(root, '', 'does not exist')
  for (const sighting of found) await checkFile(sighting.path, reader, report)
  if (found.length === 0 && faults === 0) {
    report(roots.map(shortest).join(', '), '', `no file named ${options.fileName} was found`)
  }
  return { files: found.length, lines, faults }
}

function createSink({ strict, maxLineBytes }: CheckOptions, report: Report, onLine: () => void): LineSink {
  function valid(entry: Entry, text: string, place: LinePlace): 'counted' {
    reportOddities(shown(place), entry, report)
    if (strict) reportMisspelt(shown(place), text, report)
    return 'counted'
  }

  function rejected({ field, cause }: Fault, place: LinePlace): 'rejected' {
    report(shown(place), field, cause)
    return 'rejected'
  }

  /** Whole entries that share a line with other records count, but a newline is missing there. */
  const salvage = (line: Buffer, place: LinePlace): LineVerdict | undefined =>
    readWelded(line, place, {
      entry(entry, at) {
        const from = at.offset - place.offset
        report(shown(at), '', 'record without a line of its own: a newline is missing before or after it')
        valid(entry, line.toString('utf8', from, from + at.length), at)
      },
      rejected,
    })

  return {
    line(text, place) {
      onLine()
      const parsed = parseLine(text)
      if (parsed.ok) return valid(parsed.entry, text, place)
      const { fault } = parsed
      const salvaged = fault.reason === 'invalid_json' ? salvage(Buffer.from(text), place) : undefined
      return salvaged ?? rejected(fault, place)
    },
    invalidUtf8(line, place) {
      onLine()
      return salvage(line, place) ?? rejected(NOT_UTF8, place)
    },
    tooLong: (place) => report(shown(place), '', `longer than ${maxLineBytes} bytes`),
    bytes: () => undefined,
    truncated: () => undefined,
  }
}

const shown = ({ path: file, line }: LinePlace): string => `${file}:${line}`

/** What `watch` counts with a warning. */
function reportOddities(place: string, entry: Entry, report: Report): void {
  if (entry.totalMismatch) {
    report(place, 'total_token_cost', 'is not prompt_token_count + completion_token_count')
  }
  if (entry.cachedMismatch) {
    report(place, 'cached_token_count', 'is more than prompt_token_count, of which it is a part')
  }
}

function reportMisspelt(place: string, line: string, report: Report): void {
  for (const { key, meant } of misspeltKeys(line)) {
    report(place, key, `unknown key, which is ignored. Did you mean ${meant}?`)
  }
}

async function checkFile(file: string, reader: Reader, report: Report): Promise<void> {
  const shown = shortest(file)
  try {
    const handle = await nodeFileSystem.open(file)
    try {
      const tracked = newFile(shown, await handle.facts())
      while ((await reader.readSlice(tracked, handle, 0)) === 'more');
      if (pendingBytes(tracked) > 0 && !tracked.skipping) {
        report(`${shown}:${tracked.line + 1}`, '', 'does not end in a newline')
      }
    } finally {
      await handle.close()
    }
  } catch (error) {
    report(shown, '', `cannot read: ${(error as Error).message}`)
  }
}

/** The path relative to the current directory or the absolute one, whichever is shorter. */
function shortest(file: string): string {
  const relative = path.relative('.', file)
  return relative.length > 0 && relative.length < file.length ? relative : file
}
