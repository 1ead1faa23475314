import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
} from '@grafana/grafana-foundation-sdk/dashboard'

/** A link from a panel to another dashboard; keeps the time range and the variables. */
export const toAudit = (uid: string, title: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}?\${__url_time_range}&\${__all_variables}`)
    .targetBlank(false)

/** The address of a dashboard that is filtered by a value, with the time range of this one. */
const filtered = (board: string, variable: string, value: string): string =>
  `/d/audit-${board}?\${__url_time_range}&\${job:queryparam}&\${datasource:queryparam}&var-${variable}=${value}`

/**
 * The prompt versions in the time in which a revision was the newest. Their metrics have no revision (decisions/152), but
 * times: from and to are the columns of these names, in Unix milliseconds.
 */
export const toPromptsOfItsTime = (from: string, to: string) => ({
  title: 'Prompt versions while this revision was the newest',
  url:
    `/d/audit-prompt-refinement?from=\${__data.fields["${from}"].numeric}&to=\${__data.fields["${to}"].numeric}` +
    `&\${job:queryparam}&\${datasource:queryparam}`,
  targetBlank: false,
})

/** What the filtered dashboards are called in menus of links. */
const BOARDS = {
  'constraint-effectiveness': 'Error types',
  'context-volatility': 'Pass rate and cost',
  'token-efficiency': 'Tokens',
  'prompt-refinement': 'Prompt versions',
  overview: 'Overview',
} as const
type Board = keyof typeof BOARDS

/** Links from each value of a field to dashboards that are filtered by it. */
export const waysTo = (
  boards: readonly Board[],
  variable: 'context' | 'error' | 'version' | 'project' | 'model',
  value: string,
  others: readonly Link[] = [],
) => ({
  id: 'links',
  value: [
    ...boards.map((board) => ({
      title: `${BOARDS[board]} of this ${OF[variable]}`,
      url: filtered(board, variable, value),
      targetBlank: false,
    })),
    ...others,
  ],
})
type Link = ReturnType<typeof toPromptsOfItsTime>
const OF = {
  context: 'revision',
  error: 'error type',
  version: 'prompt version',
  project: 'project',
  model: 'model',
} as const

/** The value of a cell. */
export const CELL = '${__value.raw:percentencode}'

/** A link from each value of a field: an override of the field's configuration. */
export const dataLink = (title: string, url: string): DynamicConfigValue => ({
  id: 'links',
  value: [{ title, url, targetBlank: false }],
})
