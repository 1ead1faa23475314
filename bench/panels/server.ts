import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findProgram } from '../../test/setup/find-program.ts'
import { buildGoProgram } from '../../test/setup/go-build.ts'
import { usageOf } from '../measured.ts'
import type { Query } from './boards.ts'
import { freePort } from '../../test/setup/free-port.ts'

/** `cpuSeconds`: what the whole server used meanwhile, user and system: the same on a busy machine. */
export type Answer =
  | { readonly seconds: number; readonly cpuSeconds: number; readonly series: number }
  | { readonly error: string }

export interface Server {
  /** The labels of what an instant query gives. */
  ask(expr: string, timeSeconds: number): Promise<readonly Readonly<Record<string, string>>[]>
  /** Runs a query at the end of the data as Grafana would; how long it took, up to the last byte of the answer. */
  time(query: Query, rangeSeconds: number, endSeconds: number): Promise<Answer>
  stop(): Promise<void>
}

interface ServerOptions {
  readonly generation: string
  readonly data: string
  /** A directory for its configuration. */
  readonly scratch: string
  readonly timeoutSeconds: number
}

function missing(program: string): never {
  throw new Error(`needs ${program}, which is neither on PATH nor in a usual directory`)
}

/** Starts a Prometheus of a generation on the data, with its default limits but one, and without rules or targets. */
export async function startServer({
  generation,
  data,
  scratch,
  timeoutSeconds,
}: ServerOptions): Promise<Server> {
  const program =
    generation === '2'
      ? (findProgram('prometheus') ?? missing('prometheus'))
      : await buildGoProgram('prometheus', () => findProgram('go') ?? missing('go'))
  const config = path.join(scratch, 'prometheus.yml')
  writeFileSync(config, '{}\n')
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=100y',
      `--web.listen-address=127.0.0.1:${port}`,
      `--query.timeout=${timeoutSeconds}s`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const ended = once(child, 'exit')
  const ready = async (): Promise<boolean> => {
    try {
      return (await fetch(`${url}/-/ready`)).ok
    } catch {
      return false
    }
  }
  while (!(await ready())) {
    if (child.exitCode !== null) throw new Error(`${program} ended with ${child.exitCode}`)
    await wait(100)
  }
  return {
    async ask(expr, timeSeconds) {
      const body = new URLSearchParams({ query: expr, time: String(timeSeconds) })
      const response = await fetch(`${url}/api/v1/query`, { method: 'POST', body })
      const answer = (await response.json()) as {
        error?: string
        data?: { result: readonly { readonly metric: Readonly<Record<string, string>> }[] }
      }
      if (answer.error !== undefined) throw new Error(`${expr}: ${answer.error}`)
      return answer.data!.result.map(({ metric }) => metric)
    },
    async time(query, rangeSeconds, endSeconds) {
      const before = usageOf(child).cpuSeconds
      const answer = await timed(url, query, rangeSeconds, endSeconds)
      return 'error' in answer ? answer : { ...answer, cpuSeconds: usageOf(child).cpuSeconds - before }
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

async function timed(
  url: string,
  query: Query,
  rangeSeconds: number,
  end: number,
): Promise<{ seconds: number; series: number } | { error: string }> {
  const { expr, stepSeconds } = query
  const form: Record<string, string> =
    stepSeconds === undefined
      ? { query: expr, time: String(end) }
      : // Grafana aligns both ends to the step.
        {
          query: expr,
          start: String(end - rangeSeconds - ((end - rangeSeconds) % stepSeconds)),
          end: String(end - (end % stepSeconds)),
          step: String(stepSeconds),
        }
  const before = performance.now()
  const response = await fetch(`${url}/api/v1/${stepSeconds === undefined ? 'query' : 'query_range'}`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const answer = (await response.json()) as { error?: string; data?: { result: readonly unknown[] } }
  const seconds = (performance.now() - before) / 1000
  return answer.error === undefined
    ? { seconds, series: answer.data!.result.length }
    : { error: `${answer.error} (after ${seconds.toFixed(1)} s)` }
}
