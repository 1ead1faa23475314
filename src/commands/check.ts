import path from 'node:path'
import { parseLine } from '../entry/parse.ts'
import { nodeFileSystem } from '../tail/file-system.ts'
import { createReader, type LineSink } from '../tail/reader.ts'
import { scan } from '../tail/scan.ts'
import { newFile, pendingBytes } from '../tail/tracked-file.ts'

export interface CheckOptions {
  readonly paths: readonly string[]
  readonly fileName: string
  readonly maxLineBytes: number
  readonly followSymlinks: boolean
}

export interface CheckResult {
  readonly files: number
  readonly lines: number
  readonly faults: number
}

const SLICE_BYTES = 256 * 1024

/**
 * Validates every trace below the paths with the reader and the schema that `watch` uses.
 * Calls `print` with one line for each fault: `file:line: field: cause`.
 */
export async function check(options: CheckOptions, print: (line: string) => void): Promise<CheckResult> {
  let lines = 0
  let faults = 0
  const fault = (place: string, field: string, cause: string): void => {
    faults++
    print(`${place}: ${field === '' ? '' : `${field}: `}${cause}`)
  }
  const sink: LineSink = {
    line(text, place) {
      lines++
      const parsed = parseLine(text)
      if (parsed.ok) {
        if (parsed.entry.totalMismatch) {
          fault(
            `${place.path}:${place.line}`,
            'total_token_cost',
            'is not prompt_token_count + completion_token_count',
          )
        }
        return 'counted'
      }
      fault(`${place.path}:${place.line}`, parsed.fault.field, parsed.fault.cause)
      return 'rejected'
    },
    invalidUtf8: (place) => fault(`${place.path}:${place.line}`, '', 'not valid UTF-8'),
    tooLong: (place) => fault(`${place.path}:${place.line}`, '', `longer than ${options.maxLineBytes} bytes`),
    bytes: () => undefined,
    truncated: () => undefined,
  }
  const reader = createReader(sink, { maxLineBytes: options.maxLineBytes, sliceBytes: SLICE_BYTES })

  const roots = options.paths.map((root) => path.resolve(root))
  const { found, missingRoots } = await scan(nodeFileSystem, roots, options, (where, operation, error) =>
    fault(where, '', `cannot ${operation}: ${(error as Error).message}`),
  )
  for (const root of missingRoots) fault(root, '', 'does not exist')
  for (const sighting of found) await checkFile(relative(sighting.path), sighting.path)
  return { files: found.length, lines, faults }

  async function checkFile(shown: string, from: string): Promise<void> {
    try {
      const handle = await nodeFileSystem.open(from)
      try {
        const file = newFile(shown, await handle.facts())
        while ((await reader.readSlice(file, handle, 0)) === 'more');
        if (pendingBytes(file) > 0 && !file.skipping)
          fault(`${shown}:${file.line + 1}`, '', 'does not end in a newline')
      } finally {
        await handle.close()
      }
    } catch (error) {
      fault(shown, '', `cannot read: ${(error as Error).message}`)
    }
  }
}

/** The shorter way to say where a file is. */
function relative(file: string): string {
  const way = path.relative('.', file)
  return way.length < file.length ? way : file
}
