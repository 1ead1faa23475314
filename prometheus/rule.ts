export interface RecordingRule {
  readonly record: string
  readonly expr: string
}

/** An alert as Prometheus reads it. */
export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly keep_firing_for?: string
  readonly labels: { readonly severity: 'critical' | 'warning' | 'none'; readonly audit: string }
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>
}

export interface RuleGroup<Rule = RecordingRule> {
  readonly name: string
  readonly interval: string
  readonly rules: readonly Rule[]
}

/** An alert as it is declared: the address of its section in the runbook follows from its name. */
export type Alert = Omit<AlertRule, 'annotations'> & {
  readonly summary: string
  readonly description: string
}
