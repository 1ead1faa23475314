import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Turns one OpenMetrics file into blocks in Prometheus' data directory. Throws what promtool says. */
export async function createBlocks(promtool: string, file: string, dataDirectory: string): Promise<void> {
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDirectory]
  try {
    await run(promtool, args, { maxBuffer: 1 << 26 })
  } catch (error) {
    const { code, stderr, message } = error as { code?: string; stderr?: string; message: string }
    if (code === 'ENOENT') {
      throw new Error(
        `cannot find ${promtool}: it comes with Prometheus; put it on PATH or name it with --promtool`,
        { cause: error },
      )
    }
    throw new Error(`promtool cannot import ${file}: ${stderr?.trim() || message}`, { cause: error })
  }
}
