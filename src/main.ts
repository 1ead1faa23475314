#!/usr/bin/env node
import v8 from 'node:v8'
import { nodeVersionFault } from './node-version.ts'

const fault = nodeVersionFault()
if (fault !== undefined) {
  console.error(`error: ${fault}`)
  process.exit(1)
}

// Signals first, and no import that loads much code before them: the rest takes up to a second to load, and until a
// handler is set, a signal ends the process at once or, with SIGUSR1, opens a debugger.
const stop = new AbortController()
const rescan = new EventTarget()

/** Ctrl-C under npm arrives twice: from the terminal, and forwarded by npm. */
const SAME_SIGNAL_MS = 100
let stoppedAtMs = 0

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (!stop.signal.aborted) {
      stoppedAtMs = performance.now()
      stop.abort(signal)
    } else if (performance.now() - stoppedAtMs > SAME_SIGNAL_MS) {
      // A second signal means: now.
      process.exit(1)
    }
  })
}

process.on('SIGHUP', () => {
  // logrotate sends it to a daemon; a terminal that is closed, to anything else.
  if (process.argv[2] === 'watch') rescan.dispatchEvent(new Event('rescan'))
  else stop.abort('SIGHUP')
})

// Node.js would open its inspector.
process.on('SIGUSR1', () => undefined)

// While it catches up, the daemon makes much garbage beside little that stays. Left alone, V8 lets the heap become three
// times as large before it collects (decisions/195).
if (process.argv[2] === 'watch') v8.setFlagsFromString('--heap-growing-percent=100')

const { runProcess } = await import('./process.ts')
await runProcess({ stop: stop.signal, rescan })
