import { fork, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import { UsageError } from '../config/usage-error.ts'
import { requireWritableDirectory } from '../config/writable.ts'
import type { Log } from '../log.ts'
import { counted } from '../render/format.ts'
import type { WatchConfig } from './watch-flags.ts'
import type { RowsAnswer, RowsRequest } from './write-rows.ts'

export interface RowsDeps {
  readonly log: Log
  /** Grows with everything that is read. Rows are written when it has changed. */
  readonly readBytes: () => number
  /** Called for each update that failed. */
  readonly onFailure: () => void
}

/** Writes the rows of `watch --rows`. */
export interface RowsWriter {
  /** Writes what is in the files now, for so long at most, and ends. Never throws. */
  end(patienceMs: number): Promise<void>
  /** Ends at once; what is not committed yet is written by the next start. */
  close(): void
}

export type RowsConfig = WatchConfig & { readonly rows: string }

/** The source, or the file of the bundle: both are beside this module. */
const PROGRAM = path.join(import.meta.dirname, `write-rows${path.extname(import.meta.filename)}`)
/** Another writer may still be at work, such as that of an exporter that was killed. */
const RETRY_MS = 1_000

/** Whether `watch` writes rows. */
export const hasRows = (config: WatchConfig): config is RowsConfig => config.rows !== undefined

/**
 * Throws if rows cannot be written: a `UsageError` for an address or a pattern, and an error that says what to do if the
 * directory is not writable or DuckDB is not installed.
 */
export async function requireRows(rows: string): Promise<void> {
  if (/[*?[]|^[a-z0-9]+:\/\//u.test(rows))
    throw new UsageError('--rows: give one local directory; `report` alone reads a pattern or an address.')
  requireWritableDirectory('--rows', path.resolve(rows))
  const answered = await ask({ kind: 'check' }).answer
  if (answered.kind === 'failed') throw new Error(`--rows: ${answered.cause}`)
}

/** Writes rows each `rowsInterval`, in a process of its own that ends after each update, so that DuckDB takes no memory between. */
export function createRowsWriter(config: RowsConfig, { log, readBytes, onFailure }: RowsDeps): RowsWriter {
  const directory = path.resolve(config.rows)
  const request: RowsRequest = { kind: 'update', directory, options: { ...optionsOf(config) } }
  let writtenBytes = 0
  let isFailing = false
  let asked: Asked | undefined
  let updating: Promise<boolean> = Promise.resolve(true)

  async function update(): Promise<boolean> {
    const bytes = readBytes()
    asked = ask(request)
    const answered = await asked.answer
    asked = undefined
    if (answered.kind === 'failed') {
      onFailure()
      // What fails for long is told once.
      if (!isFailing) logFailure(log, directory, answered.cause)
      isFailing = true
      return false
    }
    if (isFailing) log.info({ event: 'rows_recovered', directory }, `Rows are written to ${directory} again.`)
    isFailing = false
    const { added, faults } = answered
    for (const cause of faults) log.warn({ event: 'rows_incomplete', directory, cause }, `--rows: ${cause}`)
    if (faults.length === 0) writtenBytes = bytes
    log.debug(
      { event: 'rows_written', directory, entries: added },
      `${counted(added, 'entry', 'entries')} added to the rows in ${directory}.`,
    )
    return true
  }

  const timer = setInterval(() => {
    if (asked === undefined && readBytes() !== writtenBytes) updating = update()
  }, config.rowsInterval)

  function close(): void {
    clearInterval(timer)
    asked?.kill()
  }

  async function writeLast(left: () => boolean): Promise<void> {
    await updating
    while (left() && !(await update())) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }

  return {
    async end(patienceMs) {
      clearInterval(timer)
      let isOver = false
      const patience = setTimeout(() => {
        isOver = true
        asked?.kill()
        log.warn(
          { event: 'rows_not_written', directory },
          `The last rows were not written to ${directory} within ${patienceMs / 1000} s. The next start writes them.`,
        )
      }, patienceMs)
      await writeLast(() => !isOver)
      clearTimeout(patience)
    },
    close,
  }
}

const logFailure = (log: Log, directory: string, cause: string): void =>
  log.error(
    { event: 'rows_failed', directory, cause },
    `Failed to write rows to ${directory}: ${cause} Metrics are not affected. Trying again at each interval.`,
  )

const optionsOf = (config: RowsConfig) => ({
  paths: [...config.roots],
  fileName: config.fileName,
  followSymlinks: config.followSymlinks,
  maxLineBytes: config.maxLineBytes,
  buildTimeout: config.buildTimeout,
  phase: config.phase,
  projectFromPath: config.projectFromPath,
  prices: config.prices,
})

interface Asked {
  /** Never rejects. */
  readonly answer: Promise<RowsAnswer>
  /** Ends the process. It has then added all of its rows, or none. */
  kill(): void
}

function ask(request: RowsRequest): Asked {
  const child = fork(PROGRAM, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  child.send(request, () => undefined)
  return { answer: answerOf(child), kill: () => void child.kill('SIGKILL') }
}

const answerOf = (child: ChildProcess): Promise<RowsAnswer> =>
  new Promise((resolve) => {
    child.once('message', (answered) => resolve(answered as RowsAnswer))
    child.once('error', ({ message }) => resolve({ kind: 'failed', cause: `${message}.` }))
    child.once('exit', (code, signal) => {
      const memory = signal === 'SIGKILL' ? ' It may have had too little memory.' : ''
      resolve({
        kind: 'failed',
        cause: `The process that writes them ended with ${signal ?? code}.${memory}`,
      })
    })
  })
