/**
 * Speed and memory of the shipped program: `npm run bench` builds it and runs it as the image does. What is measured is
 * always the whole process, start-up included. `npm run bench -- --help` lists what can be measured; figures and how to
 * read them: docs/performance.md.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { benchCatchUp } from './catch-up.ts'
import { benchLatency } from './latency.ts'
import { benchFiles } from './many-files.ts'
import { benchRest } from './rest.ts'
import { benchScrape } from './scrape.ts'

const HELP = `npm run bench                     catching up with 200 MB, beside bare Node [--megabytes 200] [--rounds 3]
                                  [--beside DIR: another dist/program] [--peers: also Fluent Bit, an
                                  OpenTelemetry Collector and mtail, as far as they are there]
npm run bench -- --rest           the start and the memory at rest [--minutes 1]
npm run bench -- --files 10000    many builds that are over [--beside DIR]
npm run bench -- --latency        from the append of a line until a scrape shows it
npm run bench -- --scrape         a scrape of 10,000 series
npm run bench -- --small          all of them, small: whether they still run`

const { values } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '3' },
    beside: { type: 'string' },
    peers: { type: 'boolean', default: false },
    rest: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '1' },
    files: { type: 'string' },
    latency: { type: 'boolean', default: false },
    scrape: { type: 'boolean', default: false },
    small: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Gives a benchmark a directory of its own, and removes it. */
async function within(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'audit-bench-'))
  try {
    await run(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function runSmall(): Promise<void> {
  await within((directory) => benchCatchUp({ directory, megabytes: 2, rounds: 1, peers: false }))
  await within((directory) => benchRest({ directory, minutes: 0.05 }))
  await within((directory) => benchFiles({ directory, files: 20, idleSeconds: 1 }))
  await within((directory) => benchLatency({ directory, appends: 5 }))
  await within((directory) => benchScrape({ directory, series: 1_000, scrapes: 3 }))
}

async function run(): Promise<void> {
  const { files } = values
  if (values.small) return runSmall()
  if (values.rest) return within((directory) => benchRest({ directory, minutes: Number(values.minutes) }))
  if (files !== undefined)
    return within((directory) => benchFiles({ ...values, directory, files: Number(files), idleSeconds: 30 }))
  if (values.latency) return within((directory) => benchLatency({ directory, appends: 300 }))
  if (values.scrape) return within((directory) => benchScrape({ directory, series: 10_000, scrapes: 100 }))
  return within((directory) =>
    benchCatchUp({
      ...values,
      directory,
      megabytes: Number(values.megabytes),
      rounds: Number(values.rounds),
    }),
  )
}

if (values.help) console.log(HELP)
else {
  console.log(
    `Node ${process.version}, ${os.availableParallelism()} CPUs (${os.cpus()[0]?.model ?? 'unknown'})`,
  )
  await run()
}
