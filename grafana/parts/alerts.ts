import type { PanelBuilder as TablePanel } from '@grafana/grafana-foundation-sdk/table'
import { table } from './tables.ts'

/** What fires now, and since when; the watchdog, which always fires, is the proof that rules are evaluated. */
export const firingAlerts = (): TablePanel =>
  table({
    title: 'Firing alerts',
    description:
      'Alerts that fire now. The Watchdog always does: without it the rules are not evaluated. What to do about each stands in docs/runbook.md.',
    labels: [
      { label: 'alertname', name: 'Alert', width: 240 },
      { label: 'severity', name: 'Severity', width: 110 },
      { label: 'version', name: 'Revision', width: 110 },
      { label: 'error_type', name: 'Error type' },
      { label: 'reason', name: 'Reason', width: 140 },
    ],
    columns: [
      {
        name: 'Since',
        expr: '(ALERTS_FOR_STATE * 1000) and ignoring (alertstate) ALERTS{alertstate="firing"}',
        unit: 'dateTimeAsIso',
        width: 190,
      },
    ],
    sortBy: ['Severity'],
  })
