import os from 'node:os'
import { z } from 'zod'
import { PHASES } from '../attribute/phase.ts'
import {
  absolutePath,
  duration,
  fileName,
  listenAddress,
  onOff,
  phaseRule,
  projectPattern,
  lineSize,
  wholeNumber,
} from './fields.ts'
import { flag } from './flags.ts'

const COUNTING = 'Counting:'
const CAPS = 'Limits of label values:'

/** Headings of `--help` that a command's own flags share with those below. */
export const SERVING = 'Serving and storing:'
export const READING = 'Reading files:'

/** Where `watch` and `demo` serve. */
export const listenFlag = flag(
  {
    value: '<address>',
    env: 'AUDIT_LISTEN',
    group: SERVING,
    help: 'Address to serve HTTP on: host:port, [::1]:port, or :port for all interfaces.',
  },
  listenAddress.prefault('127.0.0.1:9464'),
)

/** The positional paths of every command that reads traces. */
export const pathsField = (help: string) =>
  flag({ value: '<path...>', positional: true, help }, z.array(absolutePath).min(1, 'at least one is needed'))

/** Which lines are read: the same for `watch`, `check`, `report` and `backfill`. */
export const readingFlags = {
  fileName: flag(
    {
      value: '<name>',
      env: 'AUDIT_FILE_NAME',
      group: READING,
      help: 'Name of the trace files, without a directory.',
    },
    fileName.prefault('audit_trace.jsonl'),
  ),
  followSymlinks: flag(
    {
      env: 'AUDIT_FOLLOW_SYMLINKS',
      group: READING,
      help: 'Also follow symbolic links that lead out of the given paths.',
    },
    onOff(),
  ),
  maxLineBytes: flag(
    {
      value: '<size>',
      env: 'AUDIT_MAX_LINE_BYTES',
      group: READING,
      help: 'Longest line to accept, such as 64KiB or 16MiB, up to 511MiB. A longer line is rejected.',
    },
    lineSize.prefault('16MiB'),
  ),
}

/** Where a long history is kept while it is read: the same for `report` and `backfill`. */
export const tempFlag = flag(
  {
    value: '<dir>',
    env: 'AUDIT_TEMP',
    group: READING,
    help:
      'Directory for temporary files, which a history of many entries needs: a disk, not memory as /tmp may be. ' +
      'They are removed at the end.',
  },
  absolutePath.prefault(os.tmpdir()),
)

/** What a line means: the same for `watch`, `report` and `backfill`. */
export const countingFlags = {
  buildTimeout: flag(
    {
      value: '<duration>',
      env: 'AUDIT_BUILD_TIMEOUT',
      group: COUNTING,
      help: 'Close a build that has had no entry for this long.',
    },
    duration.prefault('1h'),
  ),
  phase: flag(
    {
      value: '<rule...>',
      env: 'AUDIT_PHASE',
      group: COUNTING,
      help:
        `PHASE=REGEX: steps whose name matches REGEX, in any case, belong to PHASE (${PHASES.join(', ')}). ` +
        'Checked before the built-in rules. Takes several rules, so put it after the paths; in the variable, one per line.',
    },
    z.array(phaseRule).prefault([]),
  ),
  projectFromPath: flag(
    {
      value: '<pattern>',
      env: 'AUDIT_PROJECT_FROM_PATH',
      group: COUNTING,
      help:
        'Regular expression for the absolute paths of traces; its group named project is the project of entries that name none, ' +
        "such as '^/builds/(?<project>[^/]+)/'.",
    },
    projectPattern.optional(),
  ),
  prices: flag(
    {
      value: '<file>',
      env: 'AUDIT_PRICES',
      group: COUNTING,
      help: 'YAML or JSON file with prices by model, in US dollars per million tokens: input, cached, output. They give the cost of entries that have none.',
    },
    absolutePath.optional(),
  ),
}

const cap = (what: string, env: string, fallback: string) =>
  flag(
    {
      value: '<n>',
      env,
      group: CAPS,
      help: `Maximum number of distinct ${what}; further ones are counted as _other.`,
    },
    wholeNumber({ min: 1, max: 100_000 }).prefault(fallback),
  )

/** How many values a label may have: the same for `watch` and `backfill`. */
export const capFlags = {
  maxContextHashes: cap('context hashes', 'AUDIT_MAX_CONTEXT_HASHES', '200'),
  maxSteps: cap('step names', 'AUDIT_MAX_STEPS', '100'),
  maxErrorTypes: cap('error types', 'AUDIT_MAX_ERROR_TYPES', '100'),
  maxInstructionVersions: cap('instruction versions', 'AUDIT_MAX_INSTRUCTION_VERSIONS', '100'),
  maxModels: cap('models', 'AUDIT_MAX_MODELS', '100'),
  maxProjects: cap('projects', 'AUDIT_MAX_PROJECTS', '100'),
  contextIdle: flag(
    {
      value: '<duration>',
      env: 'AUDIT_CONTEXT_IDLE',
      group: CAPS,
      help: 'A context hash unused for this long may leave /metrics to make room for a new one.',
    },
    duration.prefault('30d'),
  ),
}
