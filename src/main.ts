#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { clearLine, cursorTo } from 'node:readline'
import { systemClock } from './clock.ts'
import { createLogger } from './log.ts'
import { runProgram } from './program.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // Asked twice: somebody does not want to wait.
    if (stop.signal.aborted) process.exit(1)
    stop.abort()
  })
}

process.exitCode = await runProgram(process.argv, {
  version,
  signal: stop.signal,
  env: process.env,
  clock: systemClock,
  log: createLogger({ fd: process.stderr.fd, pretty: process.stderr.isTTY }),
  usage: {
    cpuSeconds: () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
    residentBytes: () => process.memoryUsage.rss(),
    heapUsedBytes: () => process.memoryUsage().heapUsed,
    startedSeconds: Date.now() / 1000 - process.uptime(),
  },
  print: (line) => void process.stdout.write(`${line}\n`),
  complain: (line) => void process.stderr.write(`${line}\n`),
  ...(process.stdout.isTTY && {
    rewrite(line: string) {
      cursorTo(process.stdout, 0)
      process.stdout.write(line.slice(0, process.stdout.columns - 1))
      clearLine(process.stdout, 1)
    },
  }),
})

// What still waits for a file system that does not answer must not keep the process.
if (stop.signal.aborted) process.exit()
