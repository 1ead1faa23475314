import { z } from 'zod'
import { nonEmpty, wholeNumber } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { listenFlag, SERVING } from '../config/shared-flags.ts'
import { SIMULATION, simulationFlags } from './simulate-flags.ts'

const demoFlags = z.strictObject({
  directory: flag(
    {
      value: '<dir>',
      group: SERVING,
      help: 'Directory for traces and state. Default: a new temporary directory, which stays.',
    },
    nonEmpty.optional(),
  ),
  listen: listenFlag,
  exporters: flag(
    {
      value: '<n>',
      group: SERVING,
      help: 'Number of exporters, up to 16, each beside builds of its own; the first serves on --listen, the others on the ports after it. With more than one, Prometheus shows all of them, if it is installed.',
    },
    wholeNumber({ min: 1, max: 16 }).prefault('1'),
  ),
  ...simulationFlags,
  buildsPerContext: flag(
    {
      value: '<n>',
      group: SIMULATION,
      help: 'Change GEMINI.md to another revision after this many builds. Default: keep the newest one.',
    },
    wholeNumber({ min: 1 }).optional(),
  ),
})

export type DemoOptions = z.output<typeof demoFlags>

export const demoDeclaration = {
  name: 'demo',
  summary: 'simulate builds and watch them: a first look',
  description:
    'Shows the exporter at work: simulated builds write real trace files, and the daemon reads them as they grow. ' +
    'Prints the addresses to open.',
  flags: demoFlags,
  notes: `
Examples:
  audit-trace-exporter demo
  audit-trace-exporter demo --speed 600 --listen 127.0.0.1:0
  audit-trace-exporter demo --exporters 3
  audit-trace-exporter demo --spike-after-seconds 120`,
}
