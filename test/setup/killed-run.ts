import { reportAt } from '../rows/rows-setup.ts'

// Run by a test: adds rows, and ends itself with SIGKILL at a step.
const [directory = '', rows = '', step = '', nowMs = ''] = process.argv.slice(2)
await reportAt({
  paths: [directory],
  rows,
  nowMs: Number(nowMs),
  reached: (at) => void (at === step && process.kill(process.pid, 'SIGKILL')),
})
