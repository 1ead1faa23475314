import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Throws if promtool cannot be found. */
export const requirePromtool = (promtool: string): Promise<void> => runPromtool(promtool, ['--version'])

/**
 * Imports one OpenMetrics file as blocks into Prometheus' data directory. Throws an error with promtool's output, and
 * says what to do if Prometheus has deleted the block in progress.
 */
export async function createBlocks(promtool: string, file: string, dataDirectory: string): Promise<void> {
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, dataDirectory]
  try {
    await runPromtool(promtool, args)
  } catch (error) {
    if (error instanceof MissingPromtool) throw error
    const { stderr, message } = error as { stderr?: string; message: string }
    const output = stderr?.trim() || message
    const hint = blockHasVanished(output) ? `. ${whyVanished(dataDirectory)}` : ''
    throw new Error(`promtool cannot import ${file}: ${output}${hint}`, { cause: error })
  }
}

/** promtool writes a block into `<ulid>.tmp-for-creation` and renames that; Prometheus deletes such directories at its start. */
const blockHasVanished = (output: string): boolean =>
  /tmp-for-creation/u.test(output) && /no such file or directory/iu.test(output)

const whyVanished = (dataDirectory: string): string =>
  `The unfinished block is gone from ${dataDirectory}: Prometheus was probably started there during the import, and it ` +
  'deletes unfinished blocks at its start. Run the same command again; finished days are not imported twice. Start or ' +
  'restart Prometheus before or after the import, not during it'

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
