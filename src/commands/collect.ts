import { Client, Connection } from '@temporalio/client'
import type { CollectSummary } from '../collect/collect.ts'
import { collectFromClient } from '../collect/from-client.ts'
import type { Clock } from '../clock.ts'
import { createProgress } from '../history/progress.ts'
import type { Logger } from '../log.ts'
import { counted } from '../render/format.ts'
import type { CollectConfig } from './collect-flags.ts'
import { connectionOptions } from './temporal-server.ts'

interface CollectCommandDeps {
  readonly log: Logger
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly rewrite?: ((line: string) => void) | undefined
}

/** Runs `collect`. Returns whether every entry could be collected. Throws if the server cannot be reached or asked. */
export async function collect(config: CollectConfig, deps: CollectCommandDeps): Promise<boolean> {
  const progress = createProgress({ ...deps, monotonicMs: deps.clock.monotonicMs })
  const connection = await connect(config)
  try {
    const client = new Client({ connection, namespace: config.namespace })
    const summary = await collectFromClient(client, config, {
      signal: deps.signal,
      warn: (event, fields, message) => deps.log.warn({ event, ...fields }, message),
      onProgress: (done, total) => progress.update('histories', done, total, 'histories'),
    })
    progress.end()
    deps.print(sentence(summary, config.out))
    return summary.missing === 0
  } finally {
    progress.end()
    await connection.close()
  }
}

async function connect(config: CollectConfig): Promise<Connection> {
  try {
    return await Connection.connect(await connectionOptions(config))
  } catch (error) {
    throw new Error(`Cannot reach the Temporal server at ${config.address}: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function sentence(
  { workflows, runs, written, present, standing, missing }: CollectSummary,
  out: string,
): string {
  if (workflows === 0) return 'No workflow matches the query.'
  const notes = [
    ...(present > 0 ? [`${counted(present, 'was', 'were')} there already`] : []),
    ...(standing > 0
      ? [`${counted(standing, 'was', 'were')} left out, because the trace still exists (--all)`]
      : []),
    ...(missing > 0 ? [`${counted(missing, 'is', 'are')} missing (see the log)`] : []),
  ]
  const from = `${counted(workflows, 'workflow')}, ${counted(runs, 'run')}`
  return [`${from}: ${counted(written, 'entry', 'entries')} written to ${out}`, ...notes].join('; ')
}
