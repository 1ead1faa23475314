import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import { CELL, waysTo } from './links.ts'
import type { LabelColumn } from './tables.ts'

/** Names with hyphens or spaces wrap: those that differ only at their end would look the same if they were cut. */
const WRAPPED: DynamicConfigValue = { id: 'custom.wrapText', value: true }

const HASH = 'Context hash'

/** Revisions of GEMINI.md, with ways to the dashboards about one of them. */
export const revisionColumns = (minWidth: number): readonly LabelColumn[] => [
  {
    label: 'revision',
    name: 'Revision',
    minWidth,
    looks: [
      waysTo(
        ['constraint-effectiveness', 'context-volatility', 'token-efficiency', 'overview'],
        'context',
        `\${__data.fields["${HASH}"]}`,
      ),
    ],
  },
  { label: 'context_hash', name: HASH, hidden: true },
]

export const errorTypeColumn = (minWidth: number): LabelColumn => ({
  label: 'error_type',
  name: 'Error type',
  minWidth,
  looks: [WRAPPED, waysTo(['constraint-effectiveness', 'token-efficiency'], 'error', CELL)],
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
