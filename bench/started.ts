import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'

const REPOSITORY = path.join(import.meta.dirname, '..')
/** The program that is built and shipped, not its sources: `npm run bench` and `npm run soak` build it first. */
export const DIST = path.join(REPOSITORY, 'dist/program')

export interface StartedExporter {
  readonly child: ChildProcess
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Resolves when it has caught up with the files. */
  readonly caughtUp: Promise<void>
  /** Ends it, and waits until it has. */
  stop(): Promise<void>
}

/** Node's flags in the image: what is measured is what is shipped. */
function imageFlags(): string[] {
  const [, entryPoint = '[]'] =
    /^ENTRYPOINT (\[.*\])$/mu.exec(readFileSync(path.join(REPOSITORY, 'Dockerfile'), 'utf8')) ?? []
  const flags = (JSON.parse(entryPoint) as string[]).filter((part) => part.startsWith('--'))
  if (flags.length === 0) throw new Error('Dockerfile: found no flags of Node in ENTRYPOINT')
  return flags
}

interface StartOptions {
  /** Of `watch`. */
  readonly flags?: readonly string[]
  /** Another build of the program. */
  readonly dist?: string
}

/** Starts `watch` as the image runs it, on a free port. Rejects with the log if it exits before it listens. */
export async function startExporter(
  root: string,
  state: string,
  { flags = [], dist = DIST }: StartOptions = {},
): Promise<StartedExporter> {
  const main = path.join(dist, 'main.js')
  const args = [...imageFlags(), main, 'watch', root, '--listen', '127.0.0.1:0', '--state', state, ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  const listening = Promise.withResolvers<string>()
  const ready = Promise.withResolvers<void>()
  ready.promise.catch(() => undefined)
  child.once('exit', () => {
    const error = new Error(`the exporter exited:\n${log}`)
    listening.reject(error)
    ready.reject(error)
  })
  child.stderr.on('data', (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-10_000)
    const [, found] = /"url":"([^"]+)"/u.exec(log) ?? []
    if (found !== undefined) listening.resolve(found)
    if (log.includes('"event":"caught_up"')) ready.resolve()
  })
  return {
    child,
    url: await listening.promise,
    caughtUp: ready.promise,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill()
      await exited
    },
  }
}

export const scrape = async ({ url }: StartedExporter): Promise<string> =>
  (await fetch(`${url}/metrics`)).text()

/** The sum of all series of a metric in the text format; `labels` is a pattern for what is between its braces. */
export function sumOf(text: string, metric: string, labels = '.*'): number {
  const samples = text.matchAll(new RegExp(`^${metric}(?:\\{${labels}\\})? (\\S+)`, 'gmu'))
  return [...samples].reduce((sum, [, value]) => sum + Number(value), 0)
}
