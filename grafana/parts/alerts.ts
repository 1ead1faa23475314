import type { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { byThresholds, stat, thresholds } from './panels.ts'
import { table } from './tables.ts'

/** Selects the alerts of this project: each of them carries the label `audit`. */
const OURS = 'audit!=""'
const FIRING = `ALERTS{alertstate="firing",${OURS}}`
/** One series per firing alert; the value is the time since when it is active, in Unix seconds. */
const since = (where = OURS): string => `(ALERTS_FOR_STATE{${where}} and ignoring (alertstate) ${FIRING})`

/** Sort key: critical 3, warning or unknown 2, none (the Watchdog) 1. */
const severity =
  `${since(`${OURS},severity="critical"`)} * 0 + 3` +
  ` or ${since(`${OURS},severity="none"`)} * 0 + 1` +
  ` or ${since()} * 0 + 2`

/** The number of firing alerts. No value if the Watchdog does not fire either: then Prometheus evaluates no rules. */
export const firingCount = (): StatPanel =>
  stat({
    title: 'Firing alerts',
    description:
      'Number of firing alerts, without the Watchdog. The table below lists them. “rules not evaluated” means that the Watchdog, which always fires, is missing.',
    unit: 'none',
    decimals: 0,
    queries: [
      {
        expr: `count(ALERTS{alertstate="firing",${OURS},alertname!="Watchdog"}) or count(ALERTS{alertstate="firing",alertname="Watchdog"}) * 0`,
      },
    ],
  })
    .noValue('rules not evaluated')
    .colorScheme(byThresholds())
    .thresholds(thresholds({ color: 'green', value: null }, { color: 'red', value: 1 }))

/** A table of the firing alerts, the Watchdog included: it proves that Prometheus evaluates the rules. */
export const firingAlerts = (): TablePanel =>
  table({
    title: 'Firing alerts by severity',
    description:
      'Firing alerts, the most severe first. The Watchdog always fires; if it is missing, Prometheus does not evaluate the rules. docs/runbook.md has a section for each alert.',
    labels: [
      { label: 'alertname', name: 'Alert', minWidth: 240 },
      { label: 'severity', name: 'Severity', width: 110 },
      { label: 'revision', name: 'Revision', width: 160 },
      { label: 'error_type', name: 'Error type', width: 200 },
      { label: 'instance', name: 'Exporter', width: 200 },
      { label: 'reason', name: 'Reason', width: 140 },
    ],
    columns: [{ name: 'Since', expr: `${since()} * 1000`, unit: 'dateTimeAsIso', width: 190 }],
    inputs: [{ name: 'rank', expr: severity }],
    sortBy: ['-rank', 'Since'],
  })
