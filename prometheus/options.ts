/** What differs between installations. Flags of `assets` set it. */
export interface RuleOptions {
  /** Label matchers for every series of exporters, such as `namespace="ci"`. Empty: all exporters. */
  readonly selector: string
  /**
   * Label matchers of the targets that are always there: a daemon, not a sidecar. Without such a target an alert
   * fires. Empty: exporters come and go.
   */
  readonly expected: string
  /** Where docs/runbook.md can be read: a path in this repository, or a URL. */
  readonly runbook: string
}

export const DEFAULT_OPTIONS: RuleOptions = {
  selector: '',
  expected: 'job="audit-trace-exporter"',
  runbook: 'docs/runbook.md',
}
