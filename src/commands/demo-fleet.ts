import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'

export interface FleetDeps {
  /** For the configuration, the data and the log of Prometheus. */
  readonly directory: string
  readonly signal: AbortSignal
  readonly print: (line: string) => void
}

const PORT = 9090
const ASK_MS = 200
const PATIENCE_MS = 60_000
const QUERY = 'sum by (instance, outcome) (audit_builds_total)'

/**
 * Starts Prometheus over the exporters if it is installed, prints the address of a page that shows all of them, and
 * resolves once the signal has ended Prometheus. Never rejects: without Prometheus, the exporters still have their pages.
 */
export async function showFleet(urls: readonly string[], deps: FleetDeps): Promise<void> {
  const { directory, print } = deps
  try {
    const config = path.join(directory, 'prometheus.yml')
    await writeFile(config, configOf(urls))
    const url = `http://127.0.0.1:${await freePort(PORT)}`
    const server = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(directory, 'prometheus')}`,
        `--web.listen-address=${url.slice('http://'.length)}`,
      ],
      { stdio: 'ignore' },
    )
    await endWith(server, url, deps)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    print(
      isMissing
        ? 'All exporters on one page: install Prometheus (on Debian: apt-get install prometheus) and start the demo again.'
        : `All exporters on one page: failed to start Prometheus: ${(error as Error).message}`,
    )
  }
}

const configOf = (urls: readonly string[]): string =>
  stringify({
    global: { scrape_interval: '5s' },
    scrape_configs: [
      {
        job_name: 'audit-trace-exporter',
        static_configs: [{ targets: urls.map((url) => new URL(url).host) }],
      },
    ],
  })

/** Rejects if the program cannot be started, or ends by itself. */
async function endWith(
  server: ChildProcess,
  url: string,
  { signal, print, directory }: FleetDeps,
): Promise<void> {
  const ended = endOf(server, signal, directory)
  const stop = (): void => void server.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    await Promise.race([ended, untilReady(url, signal)])
    if (!signal.aborted)
      print(
        `All exporters on one page of Prometheus:\n\n  ${url}/graph?g0.expr=${encodeURIComponent(QUERY)}&g0.tab=0\n`,
      )
    await ended
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

async function endOf(server: ChildProcess, signal: AbortSignal, directory: string): Promise<void> {
  const [code] = (await once(server, 'exit')) as [number | null]
  if (!signal.aborted)
    throw new Error(`it exited with code ${String(code)}; its configuration is in ${directory}`)
}

async function untilReady(url: string, signal: AbortSignal): Promise<void> {
  for (let asked = 0; asked * ASK_MS < PATIENCE_MS && !signal.aborted; asked++) {
    const response = await fetch(`${url}/-/ready`).catch(() => undefined)
    if (response?.ok === true) return
    await wait(ASK_MS)
  }
}

/** The wanted port of this machine, or any free one. */
async function freePort(wanted: number): Promise<number> {
  const server = createServer()
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    server.close()
    return typeof address === 'object' && address !== null ? address.port : port
  }
  return await listen(wanted).catch(() => listen(0))
}
