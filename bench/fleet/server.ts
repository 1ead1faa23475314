import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { stringify } from 'yaml'
import { freePort } from '../../test/setup/free-port.ts'

interface Measured {
  readonly seriesCreated: number
  readonly seriesInHead: number
  readonly samples: number
  readonly cpuSeconds: number
  readonly memoryBytes: number
}

export interface Server {
  readonly url: string
  /** What it says of itself. */
  measure(): Promise<Measured>
  /** Writes its head as a block, and returns the size of that. */
  blockBytes(): Promise<number>
  stop(): Promise<void>
}

/** Starts a Prometheus with a configuration, as a receiver too, with its data in `directory`. */
export async function startServer(
  program: string,
  directory: string,
  configuration: object,
): Promise<Server> {
  mkdirSync(directory, { recursive: true })
  const file = path.join(directory, 'prometheus.yml')
  writeFileSync(file, stringify(configuration))
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(
    program,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path.join(directory, 'data')}`,
      `--web.listen-address=${new URL(url).host}`,
      '--web.enable-remote-write-receiver',
      '--web.enable-admin-api',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(child, 'exit')
  process.once('exit', () => child.kill('SIGKILL'))
  const isReady = (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`Prometheus exited: ${directory}`)
    await wait(100)
  }
  return {
    url,
    async measure() {
      const text = await (await fetch(`${url}/metrics`)).text()
      const sum = (name: string): number =>
        [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gmu'))].reduce(
          (total, [, value]) => total + Number(value),
          0,
        )
      return {
        seriesCreated: sum('prometheus_tsdb_head_series_created_total'),
        seriesInHead: sum('prometheus_tsdb_head_series'),
        samples: sum('prometheus_tsdb_head_samples_appended_total'),
        cpuSeconds: sum('process_cpu_seconds_total'),
        memoryBytes: sum('process_resident_memory_bytes'),
      }
    },
    async blockBytes() {
      const response = await fetch(`${url}/api/v1/admin/tsdb/snapshot`, { method: 'POST' })
      const { data } = (await response.json()) as { data: { name: string } }
      return bytesBelow(path.join(directory, 'data/snapshots', data.name))
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

export const bytesBelow = (directory: string): number =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(path.join(parentPath, name)).size, 0)
