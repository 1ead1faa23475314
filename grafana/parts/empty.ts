import { ENOUGH } from './promql.ts'

/** What a panel shows in place of data, so that an empty one says why it is empty. */
export const EMPTY = {
  builds: 'no builds in this range',
  revisions: 'no builds of a known revision in this range',
  enoughOfRevision: `no revision has ${ENOUGH} builds in this range`,
  enoughOfVersion: `no prompt version has ${ENOUGH} builds in a window: choose a longer window above`,
  entries: 'no entry in this range',
  fixes: 'no fixes in this range',
  failures: 'no failed validations in this range',
  alerts: 'nothing fires',
  exporters: 'no exporter in this range',
  projects: 'no build in this range names its project',
  models: 'no entry in this range names a model',
  promptParts: 'no entry in this range records the parts of its prompt',
  differences: `no error type is better or worse, with ${ENOUGH} builds on both sides`,
  versions: `no prompt version has ${ENOUGH} builds in this range`,
} as const

/** In place of a rate or an average of too few builds. */
export const TOO_FEW_BUILDS = `n < ${ENOUGH}`
