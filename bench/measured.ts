import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

/** What a process has used since its start: start-up is part of it. */
export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** The most that was resident at once. */
  readonly peakBytes: number
}

/** Linux counts CPU time in these for programs, whatever the kernel's own clock is. */
const TICKS_PER_SECOND = 100

/** Reads `/proc`, so that programs of every kind are measured in the same way. The process must be alive. */
export function usageOf({ pid }: ChildProcess): Usage {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the name in parentheses, which may contain spaces. User time is the 14th, system time the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'mu').exec(status)?.[1])
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    residentBytes: kilobytes('VmRSS') * 1024,
    peakBytes: kilobytes('VmHWM') * 1024,
  }
}

/** Runs Node with these arguments until it prints its first line; returns the line and what it took. */
export async function runNode(args: readonly string[]): Promise<{ line: string; usage: Usage }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    return { line: chunk.toString().trim(), usage: usageOf(child) }
  } finally {
    child.kill('SIGKILL')
  }
}

const LOOK_MS = 10

/** Runs a program to its end; returns its usage as it was at most 10 ms before. Throws if it fails. */
export async function runToEnd(program: string, args: readonly string[]): Promise<Usage> {
  const child = spawn(program, args, { stdio: 'ignore' })
  const exited = once(child, 'exit')
  let usage: Usage | undefined
  const timer = setInterval(() => {
    try {
      const now = usageOf(child)
      // One that is ending has no memory any more.
      if (!Number.isNaN(now.peakBytes)) usage = now
    } catch {
      // It has just ended.
    }
  }, LOOK_MS)
  const [code] = (await exited) as [number | null]
  clearInterval(timer)
  if (code !== 0 || usage === undefined) throw new Error(`${program} exited with code ${code}`)
  return usage
}

/** The value below which this share of the numbers lies. */
export const quantile = (numbers: readonly number[], share: number): number =>
  numbers.toSorted((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(share * numbers.length))] ??
  Number.NaN

export const median = (numbers: readonly number[]): number => quantile(numbers, 0.5)

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`

/** Prints rows with their columns aligned; the first row is the head. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
