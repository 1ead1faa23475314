import { buildAlerts } from './alerts-builds.ts'
import { exporterAlerts } from './alerts-exporter.ts'
import type { RuleOptions } from './options.ts'
import type { Alert, AlertRule, RuleGroup } from './rule.ts'

export function alertGroups(options: RuleOptions): RuleGroup<AlertRule>[] {
  const group = (name: string, alerts: readonly Alert[]): RuleGroup<AlertRule> => ({
    name,
    interval: '1m',
    rules: alerts.map(({ summary, description, ...rule }) => ({
      ...rule,
      annotations: {
        summary,
        description,
        runbook_url: `${options.runbook}#${rule.alert.toLowerCase()}`,
      },
    })),
  })
  return [group('audit-builds-alerts', buildAlerts), group('audit-exporter-alerts', exporterAlerts(options))]
}
