import { spawn, type ChildProcess } from 'node:child_process'
import path from 'node:path'

/** The program that is built and shipped, not its sources: `npm run bench` and `npm run soak` build it first. */
const MAIN = path.join(import.meta.dirname, '../dist/main.js')

export interface StartedExporter {
  readonly child: ChildProcess
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** Resolves when it has caught up with the files. */
  readonly caughtUp: Promise<void>
}

/** Starts `watch` as the image runs it, on a free port. Rejects with the log if it exits before it listens. */
export async function startExporter(root: string, state: string): Promise<StartedExporter> {
  const flags = ['--disable-sigusr1', '--max-semi-space-size=4', '--max-old-space-size-percentage=60']
  const args = [...flags, MAIN, 'watch', root, '--listen', '127.0.0.1:0', '--state', state]
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
  return { child, url: await listening.promise, caughtUp: ready.promise }
}
