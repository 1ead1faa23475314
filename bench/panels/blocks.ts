import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { withLives, withSums } from './sums.ts'
import { type Series, seriesOf, type Size, SCRAPE_SECONDS } from './series.ts'

const DAY = 86_400
const HOUR = 3600
const MODULE = 'github.com/prometheus/prometheus'
/** The version that the tests build: test/setup/go-build.ts. */
const VERSION = 'v0.313.5'

/** Writes the series as blocks into Prometheus' data directory; the number of samples. */
export async function writeBlocks(size: Size, directory: string, scratch: string): Promise<number> {
  const program = await built(scratch)
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] })
  const written = text(child.stdout)
  const ended = once(child, 'exit') as Promise<[code: number | null]>
  await pipeline(lines(size, directory), child.stdin)
  const [code] = await ended
  if (code !== 0) throw new Error(`the program that writes blocks ended with ${String(code)}`)
  return Number(await written)
}

/** Builds the Go program in a module of its own, beside its data. */
async function built(scratch: string): Promise<string> {
  const source = path.join(scratch, 'source')
  await mkdir(source, { recursive: true })
  await copyFile(path.join(import.meta.dirname, 'blocks/main.go'), path.join(source, 'main.go'))
  const go = (...args: string[]) => promisify(execFile)('go', args, { cwd: source })
  await go('mod', 'init', 'blocks').catch(() => undefined)
  await go('get', `${MODULE}/tsdb@${VERSION}`)
  await go('build', '-o', 'blocks', '.')
  return path.join(source, 'blocks')
}

function* lines(size: Size, directory: string): Iterable<string> {
  const to = size.endSeconds
  const from = to - (size.days + 1) * DAY
  // Where queries read single samples, there is one for every scrape.
  const spans = [
    ...[90, 30, 7, 1].map((days) => to - days * DAY).map((start) => [start - 1.5 * HOUR, start] as const),
    [to - 2 * HOUR, to] as const,
  ].filter(([start]) => start >= from)
  yield `${JSON.stringify({
    Out: directory,
    From: from,
    To: to,
    Block: 6 * DAY,
    Spans: spans.map(([From, To]) => ({ From, To, Every: SCRAPE_SECONDS })),
  })}\n`
  for (const series of withLives(withSums(seriesOf(size))))
    yield `${JSON.stringify(series satisfies Series)}\n`
}
