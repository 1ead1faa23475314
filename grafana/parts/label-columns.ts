import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import type { Look } from './looks.ts'
import { CELL, toPromptsOfItsTime, waysTo } from './links.ts'
import { FIRST_SEEN, NEWEST_UNTIL } from './promql.ts'
import type { Column, LabelColumn } from './tables.ts'

/** Names with hyphens or spaces wrap: those that differ only at their end would look the same if they were cut. */
const WRAPPED: DynamicConfigValue = { id: 'custom.wrapText', value: true }

/** Names of error types have no hyphens: they may break once, after a word. Links use the raw value. */
const BREAKABLE: DynamicConfigValue = {
  id: 'mappings',
  value: [
    {
      type: 'regex',
      options: {
        pattern: '/^(.{12,21}_)(.{4,})$/',
        result: { text: '$1\u200b$2', index: 0 },
      },
    },
  ],
}

const HASH = 'Context hash'
/** The hash of a revision, by which variables select: in a column of its own that is not shown. */
export const HASH_CELL = `\${__data.fields["${HASH}"]}`
export const HASH_COLUMN: LabelColumn = { label: 'context_hash', name: HASH, hidden: true }

/** Revisions of GEMINI.md, with ways to the dashboards about one of them; `itsTime` needs the `timeColumns`. */
export const revisionColumns = (minWidth?: number, itsTime = false): readonly [LabelColumn, LabelColumn] => [
  {
    label: 'revision',
    name: 'Revision',
    ...(minWidth === undefined ? { width: 160 } : { minWidth }),
    looks: [
      waysTo(
        ['constraint-effectiveness', 'context-volatility', 'token-efficiency', 'overview'],
        'context',
        HASH_CELL,
        itsTime ? [toPromptsOfItsTime(FIRST_USED, NEWEST)] : [],
      ),
    ],
  },
  HASH_COLUMN,
]

const FIRST_USED = 'First used'
const NEWEST = 'Newest until'
const moment = (name: string, expr: string): Column => ({ name, expr, unit: 'dateTimeAsIso', width: 165 })
/** The time in which a revision was the newest, for tables with `itsTime`; `named` adds the labels of the rows. */
export const timeColumns = (named: (expression: string) => string): readonly [from: Column, to: Column] => [
  moment(FIRST_USED, named(`floor(${FIRST_SEEN} * 1000)`)),
  moment(NEWEST, named(`floor(${NEWEST_UNTIL} * 1000)`)),
]

/** How error types look in a table, and where they lead. */
export const ERROR_TYPE: Look = [
  WRAPPED,
  BREAKABLE,
  waysTo(['constraint-effectiveness', 'token-efficiency'], 'error', CELL),
]
export const errorTypeColumn = (minWidth: number): LabelColumn => ({
  label: 'error_type',
  name: 'Error type',
  minWidth,
  looks: ERROR_TYPE,
  twoLines: true,
})

export const promptVersionColumn = (minWidth: number): LabelColumn => ({
  label: 'instruction_version',
  name: 'Prompt version',
  minWidth,
  looks: [WRAPPED, waysTo(['prompt-refinement'], 'version', CELL)],
})

export const projectColumn = (minWidth: number): LabelColumn => ({
  label: 'project',
  name: 'Project',
  minWidth,
  looks: [WRAPPED, waysTo(['overview', 'token-efficiency'], 'project', CELL)],
})
