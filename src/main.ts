#!/usr/bin/env node

// Signals first, and no import that loads code before them: the rest takes up to a second to load, and until a
// handler is set, a signal ends the process at once or, with SIGUSR1, opens a debugger.
const stop = new AbortController()
const rescan = new EventTarget()

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    // A second signal means: now.
    if (stop.signal.aborted) process.exit(1)
    stop.abort(signal)
  })
}

process.on('SIGHUP', () => {
  // logrotate sends it to a daemon; a terminal that is closed, to anything else.
  if (process.argv[2] === 'watch') rescan.dispatchEvent(new Event('rescan'))
  else stop.abort('SIGHUP')
})

// Node.js would open its inspector.
process.on('SIGUSR1', () => undefined)

const { runProcess } = await import('./process.ts')
await runProcess({ stop: stop.signal, rescan })
