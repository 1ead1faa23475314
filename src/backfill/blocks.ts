import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Throws where promtool is not to be had. */
export const requirePromtool = (promtool: string): Promise<void> => runPromtool(promtool, ['--version'])

/** Turns one OpenMetrics file into blocks in Prometheus' data directory. Throws what promtool says. */
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
      `--promtool: cannot find ${promtool}: it comes with Prometheus; put it on PATH or name it with --promtool`,
      { cause: error },
    )
  }
}
