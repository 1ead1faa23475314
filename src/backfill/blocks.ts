import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Throws if promtool cannot be found. */
export const requirePromtool = (promtool: string): Promise<void> => runPromtool(promtool, ['--version'])

/** Imports one OpenMetrics file as blocks into Prometheus' data directory. Throws an error with promtool's output. */
export async function createBlocks(promtool: string, file: string, dataDirectory: string): Promise<void> {
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDirectory]
  try {
    await runPromtool(promtool, args)
  } catch (error) {
    if (error instanceof MissingPromtool) throw error
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new Error(`promtool cannot import ${file}: ${stderr?.trim() || message}`, { cause: error })
  }
}

class MissingPromtool extends Error {
  override readonly name = 'MissingPromtool'
}

async function runPromtool(promtool: string, args: readonly string[]): Promise<void> {
  try {
    await run(promtool, args, { maxBuffer: 1 << 26 })
  } catch (error) {
    if ((error as { code?: string }).code !== 'ENOENT') throw error
    throw new MissingPromtool(
      `--promtool: cannot find ${promtool}; it is part of Prometheus: put it on PATH or pass its path with --promtool`,
      { cause: error },
    )
  }
}
