import { z } from 'zod'
import { nonEmpty, numberFrom, wholeNumber } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { CONTEXT_REVISIONS } from '../simulate/profile.ts'

/** Heading of `--help`. */
export const SIMULATION = 'Simulation:'

/** The flags that `simulate` and `demo` share; numbers may be given as text. */
export const simulationFlags = {
  builds: flag(
    { value: '<n>', group: SIMULATION, help: 'Stop after this many builds. Default: go on until stopped.' },
    wholeNumber({ min: 1 }).optional(),
  ),
  speed: flag(
    { value: '<x>', group: SIMULATION, help: 'How many times as fast as real builds.' },
    numberFrom({ min: 0.001, max: 1e6 }).prefault(60),
  ),
  parallel: flag(
    { value: '<n>', group: SIMULATION, help: 'How many builds run at once.' },
    wholeNumber({ min: 1, max: 1_000 }).prefault(4),
  ),
  seed: flag(
    {
      value: '<text>',
      group: SIMULATION,
      help: 'The same seed simulates the same builds. Default: different builds at each start.',
    },
    nonEmpty.optional(),
  ),
  keep: flag(
    {
      value: '<n>',
      group: SIMULATION,
      help: 'How many finished builds to keep; older ones are removed. Default: all.',
    },
    wholeNumber({ min: 1 }).optional(),
  ),
  buildsPerContext: flag(
    {
      value: '<n>',
      group: SIMULATION,
      help: 'Change GEMINI.md to its next revision after this many builds.',
    },
    wholeNumber({ min: 1 }).prefault(25),
  ),
  spikeAfterSeconds: flag(
    {
      value: '<s>',
      group: SIMULATION,
      help: 'Make rework more expensive this many seconds after the start. Default: never.',
    },
    numberFrom({ min: 0 }).optional(),
  ),
  spikeFactor: flag(
    { value: '<x>', group: SIMULATION, help: 'How many times as expensive rework then is.' },
    numberFrom({ min: 0.001 }).prefault(3),
  ),
  /** Index of the revision of GEMINI.md to start with. */
  firstContext: wholeNumber({ min: 0, max: CONTEXT_REVISIONS.length - 1 }).prefault(0),
  /** Share of lines (0 to 1) that are written in two parts. */
  tornWrites: numberFrom({ min: 0, max: 1 }).prefault(0.05),
}

export const simulateOptions = z.strictObject({
  directory: flag(
    { value: '<directory>', positional: true, help: 'Each build gets its own directory below this one.' },
    nonEmpty,
  ),
  ...simulationFlags,
})

export type SimulateFlags = z.input<typeof simulateOptions>
export type SimulateOptions = z.output<typeof simulateOptions>

export const simulateDeclaration = {
  name: 'simulate',
  summary: 'write traces of simulated builds into a directory',
  description: 'Writes traces of simulated builds below a directory, as pipelines do: something to watch.',
  flags: simulateOptions,
  notes: `
Examples:
  audit-trace-exporter simulate /tmp/builds
  audit-trace-exporter simulate /tmp/builds --builds 100 --speed 1000 --seed a`,
}
