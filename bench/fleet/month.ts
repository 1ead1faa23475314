import { execFileSync } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { once } from 'node:events'
import path from 'node:path'
import { bytesBelow, type Server } from './server.ts'

interface Recorded {
  readonly labels: Readonly<Record<string, string>>
  readonly everySeconds: number
}

const DAY_SECONDS = 86_400
const WINDOW_SECONDS = 600

/** What the sums of so many days take: the series that the receiver has, each with all of its samples. */
export async function measureSums(server: Server, promtool: string, directory: string, days: number) {
  const recorded = await recordedOf(server)
  const file = path.join(directory, 'sums.om')
  const out = createWriteStream(file)
  const fromSeconds = Date.parse('2026-10-01T00:00:00Z') / 1000
  let samples = 0
  let state = 1
  for (const { labels, everySeconds } of recorded) {
    const { __name__: name = '', ...others } = labels
    const series = `${name}{${Object.entries(others)
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join(',')}}`
    let text = ''
    for (let at = 0; at < days * DAY_SECONDS; at += everySeconds) {
      // Sums of a busy fleet look random.
      state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
      text += `${series} ${state % 100_000} ${fromSeconds + at}\n`
      samples++
    }
    if (!out.write(text)) await once(out, 'drain')
  }
  out.end('# EOF\n')
  await once(out, 'finish')
  const blocks = path.join(directory, 'sums')
  // One block for each day, as after compaction.
  const command = [
    'tsdb',
    'create-blocks-from',
    'openmetrics',
    '--max-block-duration=24h',
    '--quiet',
    file,
    blocks,
  ]
  execFileSync(promtool, command, { stdio: ['ignore', 'ignore', 'inherit'] })
  return { series: recorded.length, samples, bytes: bytesBelow(blocks) }
}

/** The series of a receiver of sums, and how often each gets a sample when the fleet is busy. */
async function recordedOf({ url }: Server): Promise<Recorded[]> {
  const names = (await ask(`${url}/api/v1/label/__name__/values`)) as string[]
  const found = await Promise.all(
    names.map(async (name) => {
      const data = (await ask(
        `${url}/api/v1/query?${new URLSearchParams({ query: `count_over_time(${name}[${WINDOW_SECONDS}s])` }).toString()}`,
      )) as { result: { metric: Record<string, string>; value: [number, string] }[] }
      return data.result.map(({ metric, value }) => ({
        labels: { __name__: name, ...metric },
        everySeconds: name.startsWith('audit_fleet:')
          ? 300
          : Math.round(WINDOW_SECONDS / Number(value[1]) / 60) * 60 || 60,
      }))
    }),
  )
  return found.flat()
}

async function ask(url: string): Promise<unknown> {
  const { data } = (await (await fetch(url)).json()) as { data: unknown }
  return data
}
