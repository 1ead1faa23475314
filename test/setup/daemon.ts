import path from 'node:path'
import { parseExposition } from './exposition.ts'
import { start, until, type Started } from './process.ts'

export interface Daemon extends Started {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** `127.0.0.1:PORT`, for Prometheus. */
  readonly address: string
  /** Waits until it has caught up with the files. */
  ready(): Promise<void>
  /** The samples of /metrics by name and sorted labels: see `parseExposition`. */
  scrape(): Promise<Map<string, number>>
  /** Its log so far. */
  log(): Record<string, unknown>[]
}

const MAIN = path.resolve(import.meta.dirname, '../../src/main.ts')

/** Starts the real `watch` in its own process, on a free port; resolves once it listens. */
export async function startDaemon(options: {
  roots: readonly string[]
  state: string
  args?: readonly string[]
  env?: NodeJS.ProcessEnv
  /** Arguments of Node.js that run the program. Default: the sources. */
  program?: readonly string[]
  /** Path of Node.js. Default: that of the tests. */
  node?: string
  /** A program that runs Node.js, and its arguments. */
  runner?: readonly string[]
}): Promise<Daemon> {
  const args = ['watch', ...options.roots, '--listen', '127.0.0.1:0', '--state', options.state]
  const node = [
    options.node ?? process.execPath,
    ...(options.program ?? [MAIN]),
    ...args,
    ...(options.args ?? []),
  ]
  const [program, ...programArgs] = [...(options.runner ?? []), ...node]
  const running = start(program!, programArgs, options.env)
  const log = (): Record<string, unknown>[] =>
    running
      .output()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>)

  const url = await until(
    'the daemon listens',
    () => {
      const line = log().find(({ event }) => event === 'listening')
      if (line === undefined && running.child.exitCode !== null) return null
      return line === undefined ? undefined : String(line['url'])
    },
    { detail: running.output },
  ).catch(async (error: unknown) => {
    await running.stop('SIGKILL')
    throw error
  })
  if (url === null)
    throw new Error(`the daemon exited with ${String(running.child.exitCode)}:\n${running.output()}`)

  return {
    ...running,
    url,
    address: new URL(url).host,
    log,
    async ready() {
      await until('the daemon is ready', async () => (await fetch(`${url}/readyz`)).ok || undefined, {
        detail: running.output,
      })
    },
    async scrape() {
      const response = await fetch(`${url}/metrics`)
      const text = await response.text()
      if (!response.ok) throw new Error(`GET ${url}/metrics: ${response.status} ${text}`)
      return parseExposition(text)
    },
  }
}
