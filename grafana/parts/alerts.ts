import type { PanelBuilder as StatPanel } from '@grafana/grafana-foundation-sdk/stat'
import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { byThresholds, stat, thresholds } from './panels.ts'
import { table } from './tables.ts'

/** Alerts of this project: all of them say which part they are about. */
const OURS = 'audit!=""'
const FIRING = `ALERTS{alertstate="firing",${OURS}}`
/** What fires, and since when (in seconds). */
const since = (where = OURS): string => `(ALERTS_FOR_STATE{${where}} and ignoring (alertstate) ${FIRING})`

/** The most severe first, the watchdog last; a severity that we do not know stands among the warnings. */
const severity =
  `${since(`${OURS},severity="critical"`)} * 0 + 3` +
  ` or ${since(`${OURS},severity="none"`)} * 0 + 1` +
  ` or ${since()} * 0 + 2`

/** How many alerts fire; nothing where not even the watchdog does, because then no rule is evaluated. */
export const firingCount = (): StatPanel =>
  stat({
    title: 'Firing alerts',
    description:
      'Alerts that fire now, the Watchdog aside; the table below says which. “rules do not run”: the Watchdog, which always fires, does not.',
    unit: 'none',
    decimals: 0,
    queries: [
      {
        expr: `count(ALERTS{alertstate="firing",${OURS},alertname!="Watchdog"}) or count(ALERTS{alertstate="firing",alertname="Watchdog"}) * 0`,
      },
    ],
  })
    .noValue('rules do not run')
    .colorScheme(byThresholds())
    .thresholds(thresholds({ color: 'green', value: null }, { color: 'red', value: 1 }))

/** What fires now, and since when; the watchdog, which always fires, is the proof that rules are evaluated. */
export const firingAlerts = (): TablePanel =>
  table({
    title: 'What fires, and since when',
    description:
      'Alerts that fire now, the most severe first. The Watchdog always does: without it the rules are not evaluated. What to do about each stands in docs/runbook.md.',
    labels: [
      { label: 'alertname', name: 'Alert', minWidth: 240 },
      { label: 'severity', name: 'Severity', width: 110 },
      { label: 'version', name: 'Revision', width: 110 },
      { label: 'error_type', name: 'Error type', width: 200 },
      { label: 'reason', name: 'Reason', width: 140 },
    ],
    columns: [{ name: 'Since', expr: `${since()} * 1000`, unit: 'dateTimeAsIso', width: 190 }],
    inputs: [{ name: 'how severe', expr: severity }],
    sortBy: ['-how severe', 'Since'],
  })
