import type { DynamicConfigValue } from '@grafana/grafana-foundation-sdk/dashboard'
import type { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { alertGroups } from '../../prometheus/alerts.ts'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { COLORS } from './colors.ts'
import { EMPTY } from './empty.ts'
import { HASH_CELL, HASH_COLUMN } from './label-columns.ts'
import { CELL, dataLink, waysTo } from './links.ts'
import { byThresholds, stat, thresholds } from './panels.ts'
import { table } from './tables.ts'

/** Selects the alerts of this project: each of them carries the label `audit`. */
const OURS = 'audit!=""'
const FIRING = `ALERTS{alertstate="firing",${OURS},alertname!="Watchdog"}`
const WATCHDOG = `ALERTS{alertstate="firing",${OURS},alertname="Watchdog"}`
/** One series per firing alert; the value is the time since when it is active, in Unix seconds. */
const since = (where = OURS): string => `(ALERTS_FOR_STATE{${where}} and ignoring (alertstate) ${FIRING})`

/** Shown like a critical alert: without the Watchdog nobody knows what else would fire. */
const UNKNOWN = 'Watchdog is missing: rules are not evaluated'
const unknown =
  `label_replace(label_replace(absent(${WATCHDOG}), "alertname", "${UNKNOWN}", "", ""), "severity", "critical", "", "")` +
  ' * 0'

/** Sort key: critical 3, warning or unknown 2. */
const severity = `${since(`${OURS},severity="critical"`)} * 0 + 3 or ${since()} * 0 + 2 or ${unknown} + 4`

/** The dashboard that shows what an alert is about; the others are about the exporter. */
export const BOARD_OF: Readonly<Record<string, string>> = {
  AuditReworkCostSpike: 'prompt-refinement',
  AuditFirstPassRateDrop: 'prompt-refinement',
  AuditTokensPerSuccessHigh: 'token-efficiency',
  AuditErrorTypeSurge: 'constraint-effectiveness',
  AuditContextRegression: 'context-volatility',
}

/** Adds the labels `board` and `runbook` to series of alerts. */
const withWays = (alerts: string): string =>
  Object.entries(BOARD_OF).reduce(
    (expression, [name, board]) =>
      `label_replace(${expression}, "board", "${board}", "alertname", "${name}")`,
    `label_replace(label_replace(${alerts}, "board", "exporter", "", ""), "runbook", "$1", "alertname", "([^ ]+).*")`,
  )

/** The column with the section of the runbook for each alert; only the link uses it. */
const RUNBOOK = 'Runbook'

/** Shows the name of an alert as that of its section in the runbook. */
const sections = (): DynamicConfigValue => ({
  id: 'mappings',
  value: [
    {
      type: 'value',
      options: Object.fromEntries(
        alertGroups(DEFAULT_OPTIONS)
          .flatMap(({ rules }) => rules)
          .map(({ alert }, index) => [alert, { text: alert.toLowerCase(), index }]),
      ),
    },
  ],
})

/** The number of firing alerts. No value if the Watchdog does not fire either: then Prometheus evaluates no rules. */
export const firingCount = (): StatPanel =>
  stat({
    title: 'Firing alerts',
    description:
      'Number of firing alerts at the end of the time range, without the Watchdog. “rules not evaluated” means that the Watchdog, which always fires, is missing.',
    unit: 'none',
    decimals: 0,
    empty: 'rules not evaluated',
    queries: [{ expr: `count(${FIRING}) or count(${WATCHDOG}) * 0` }],
  })
    .colorScheme(byThresholds())
    .thresholds(thresholds({ color: COLORS.neutral, value: null }, { color: COLORS.bad, value: 1 }))

/** A table of what fires, the most severe first, with ways to a dashboard and to the runbook if it is at a URL. */
export const firingAlerts = (runbook: string): TablePanel =>
  table({
    title: 'Firing alerts by severity',
    description:
      'Firing alerts at the end of the time range, the most severe first, and for how long their condition has held. The board shows what the alert is about; an alert leads to its section of docs/runbook.md if the dashboards were written with its URL. Without the Watchdog, which always fires, Prometheus does not evaluate the rules.',
    empty: EMPTY.alerts,
    labels: [
      {
        label: 'alertname',
        name: 'Alert',
        minWidth: 205,
        looks: /^https?:/.test(runbook)
          ? [dataLink('Runbook', `${runbook}#\${__data.fields["${RUNBOOK}"].text}`)]
          : [],
      },
      { label: 'severity', name: 'Severity', width: 90, looks: [SEVERITY_COLORS, COLOURED_TEXT] },
      {
        label: 'revision',
        name: 'Revision',
        width: 160,
        looks: [waysTo(['context-volatility'], 'context', HASH_CELL)],
      },
      HASH_COLUMN,
      {
        label: 'error_type',
        name: 'Error type',
        width: 150,
        looks: [waysTo(['constraint-effectiveness'], 'error', CELL)],
      },
      { label: 'instance', name: 'Exporter', width: 150 },
      { label: 'reason', name: 'Reason', width: 110 },
      {
        label: 'board',
        name: 'Board',
        width: 120,
        looks: [
          dataLink(
            'Board',
            '/d/audit-${__value.raw}?${__url_time_range}&${job:queryparam}&${datasource:queryparam}',
          ),
        ],
      },
      { label: 'runbook', name: RUNBOOK, hidden: true, looks: [sections()] },
    ],
    columns: [
      {
        name: 'Active for',
        expr: withWays(`time() - ${since()} or ${unknown}`),
        unit: 's',
        decimals: 1,
        width: 95,
      },
    ],
    inputs: [{ name: 'rank', expr: withWays(severity) }],
    sortBy: ['-rank', '-Active for'],
  })

const COLOURED_TEXT: DynamicConfigValue = { id: 'custom.cellOptions', value: { type: 'color-text' } }
const SEVERITY_COLORS: DynamicConfigValue = {
  id: 'mappings',
  value: [
    {
      type: 'value',
      options: {
        critical: { text: 'critical', color: COLORS.bad, index: 0 },
        warning: { text: 'warning', color: COLORS.warning, index: 1 },
      },
    },
  ],
}
