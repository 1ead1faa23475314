import type { Alert } from './rule.ts'

/** Alerts about builds. They read recorded values only: prometheus/recording.ts. */
export const buildAlerts: readonly Alert[] = [
  // More than 2x the baseline in the last hour and 1.5x in the last 6 hours, with a minimum of fixes in each window.
  {
    alert: 'AuditReworkCostSpike',
    expr: `(
  audit:rework_completion_tokens:increase1h / (audit:rework_error_log_chars:increase1h > 0)
  > 2 * (audit:rework_completion_tokens:increase7d_offset6h / (audit:rework_error_log_chars:increase7d_offset6h > 0))
)
and
(
  audit:rework_completion_tokens:increase6h / (audit:rework_error_log_chars:increase6h > 0)
  > 1.5 * (audit:rework_completion_tokens:increase7d_offset6h / (audit:rework_error_log_chars:increase7d_offset6h > 0))
)
and audit:rework_cost_factor_count:increase1h >= 5
and audit:rework_cost_factor_count:increase6h >= 10
and audit:rework_cost_factor_count:increase7d_offset6h >= 50`,
    for: '5m',
    keep_firing_for: '30m',
    labels: { severity: 'critical', audit: 'builds' },
    summary: `Rework cost factor is more than twice the baseline.`,
    description: `{{ with query "audit:rework_cost_factor_count:increase1h" }}{{ . | first | value | printf "%.0f" }}{{ end }} fixes of the last hour used {{ $value | printf "%.2f" }} completion tokens per character of error log. The last 6 hours: {{ with query "audit:rework_completion_tokens:increase6h / (audit:rework_error_log_chars:increase6h > 0)" }}{{ . | first | value | printf "%.2f" }}{{ end }}. The week before that: {{ with query "audit:rework_completion_tokens:increase7d_offset6h / (audit:rework_error_log_chars:increase7d_offset6h > 0)" }}{{ . | first | value | printf "%.2f" }}{{ end }}.`,
  },
  // Below 0.8x the baseline, and the upper bound of the Wilson interval at 4 standard errors is below the baseline.
  // Fewer standard errors are not enough: the test is repeated with every build (decisions/032).
  {
    alert: 'AuditFirstPassRateDrop',
    expr: `(
  audit:builds_first_pass:increase1d / (audit:builds_judged:increase1d > 0)
  < 0.8 * (audit:builds_first_pass:increase7d_offset1d / (audit:builds_judged:increase7d_offset1d > 0))
)
and
(
  (
    audit:builds_first_pass:increase1d + 8
    + 4 * sqrt(
      audit:builds_first_pass:increase1d * (audit:builds_judged:increase1d - audit:builds_first_pass:increase1d)
      / (audit:builds_judged:increase1d > 0) + 4
    )
  ) / (audit:builds_judged:increase1d + 16)
  < audit:builds_first_pass:increase7d_offset1d / (audit:builds_judged:increase7d_offset1d > 0)
)
and audit:builds_judged:increase1d >= 20
and audit:builds_judged:increase7d_offset1d >= 50`,
    for: '15m',
    keep_firing_for: '1h',
    labels: { severity: 'warning', audit: 'builds' },
    summary: `First-pass rate is less than 0.8 times the baseline.`,
    description: `{{ $value | humanizePercentage }} of the {{ with query "audit:builds_judged:increase1d" }}{{ . | first | value | printf "%.0f" }}{{ end }} builds of the last day passed their first verification. The week before that: {{ with query "audit:builds_first_pass:increase7d_offset1d / (audit:builds_judged:increase7d_offset1d > 0)" }}{{ . | first | value | humanizePercentage }}{{ end }}.`,
  },
  // The minimum is 20 times the baseline tokens per success: it also works if no build succeeds any more.
  {
    alert: 'AuditTokensPerSuccessHigh',
    expr: `(
  audit:build_tokens:increase1d / clamp_min(audit:builds_succeeded:increase1d, 1)
  > 1.5 * (audit:build_tokens:increase7d_offset1d / (audit:builds_succeeded:increase7d_offset1d > 0))
)
and audit:build_tokens:increase1d
  >= 20 * (audit:build_tokens:increase7d_offset1d / (audit:builds_succeeded:increase7d_offset1d > 0))
and audit:builds_succeeded:increase7d_offset1d >= 20`,
    for: '15m',
    keep_firing_for: '1h',
    labels: { severity: 'warning', audit: 'builds' },
    summary: `Tokens per successful build are more than 1.5 times the baseline.`,
    description: `The builds of the last day used {{ with query "audit:build_tokens:increase1d" }}{{ . | first | value | humanize }}{{ end }} tokens, and {{ with query "audit:builds_succeeded:increase1d" }}{{ . | first | value | printf "%.0f" }}{{ end }} of them succeeded{{ with query "audit:builds_succeeded:increase1d > 0" }}: {{ $value | humanize }} tokens per success{{ end }}. Tokens per success in the week before that: {{ with query "audit:build_tokens:increase7d_offset1d / (audit:builds_succeeded:increase7d_offset1d > 0)" }}{{ . | first | value | humanize }}{{ end }}.`,
  },
  // More than 2x the baseline, and the lower bound of the Wilson interval at 4 standard errors is above the baseline.
  // The baseline of an error type that never occurred before is zero.
  {
    alert: 'AuditErrorTypeSurge',
    expr: `(
  error_type:failed_validations:increase6h / on () group_left () (audit:validations:increase6h > 0)
  > 2 * (
    (error_type:failed_validations:increase7d_offset6h or error_type:failed_validations:increase6h * 0)
    / on () group_left () (audit:validations:increase7d_offset6h > 0)
  )
)
and
(
  (
    error_type:failed_validations:increase6h + 8
    - 4 * sqrt(
      error_type:failed_validations:increase6h
      * (1 - error_type:failed_validations:increase6h / on () group_left () (audit:validations:increase6h > 0))
      + 4
    )
  ) / on () group_left () (audit:validations:increase6h + 16)
  > (error_type:failed_validations:increase7d_offset6h or error_type:failed_validations:increase6h * 0)
  / on () group_left () (audit:validations:increase7d_offset6h > 0)
)
and error_type:failed_validations:increase6h >= 10
and on () (audit:validations:increase6h >= 20)
and on () (audit:validations:increase7d_offset6h >= 50)`,
    for: '10m',
    keep_firing_for: '1h',
    labels: { severity: 'warning', audit: 'builds' },
    summary: `Share of validations that fail with {{ $labels.error_type }} is more than twice the baseline.`,
    description: `{{ $value | humanizePercentage }} of the {{ with query "audit:validations:increase6h" }}{{ . | first | value | printf "%.0f" }}{{ end }} validations of the last 6 hours failed with {{ $labels.error_type }} ({{ with query (printf "error_type:failed_validations:increase6h{error_type=%q}" $labels.error_type) }}{{ . | first | value | printf "%.0f" }}{{ end }} failures). The week before that: {{ with query (printf "(error_type:failed_validations:increase7d_offset6h{error_type=%q} or error_type:failed_validations:increase6h{error_type=%q} * 0) / on () group_left () (audit:validations:increase7d_offset6h > 0)" $labels.error_type $labels.error_type) }}{{ . | first | value | humanizePercentage }}{{ end }}.`,
  },
  // The first-pass rate is at least 10 points and more than 3 standard errors below that of the predecessor. Two
  // standard errors are not enough: the test is repeated with every build (decisions/032). The last condition
  // excludes revisions that are out of use: no build of the last day used them, but other builds ran.
  {
    alert: 'AuditContextRegression',
    expr: `(
  context_hash:builds_first_pass_previous:increase30d / (context_hash:builds_judged_previous:increase30d > 0)
  - on (context_hash) group_left ()
  context_hash:builds_first_pass:increase30d / (context_hash:builds_judged:increase30d > 0)
  >= 0.1
)
and on (context_hash)
(
  (
    sum by (context_hash) (context_hash:builds_first_pass_previous:increase30d)
    / (sum by (context_hash) (context_hash:builds_judged_previous:increase30d) > 0)
    - context_hash:builds_first_pass:increase30d / (context_hash:builds_judged:increase30d > 0)
  )
  / sqrt(
    (sum by (context_hash) (context_hash:builds_first_pass_previous:increase30d) + context_hash:builds_first_pass:increase30d)
    / (sum by (context_hash) (context_hash:builds_judged_previous:increase30d) + context_hash:builds_judged:increase30d)
    * (
      1 - (sum by (context_hash) (context_hash:builds_first_pass_previous:increase30d) + context_hash:builds_first_pass:increase30d)
      / (sum by (context_hash) (context_hash:builds_judged_previous:increase30d) + context_hash:builds_judged:increase30d)
    )
    * (
      1 / (sum by (context_hash) (context_hash:builds_judged_previous:increase30d) > 0)
      + 1 / (context_hash:builds_judged:increase30d > 0)
    )
  )
  > 3
)
and on (context_hash) context_hash:builds_judged:increase30d >= 50
and on (context_hash) context_hash:builds_judged_previous:increase30d >= 50
and on (context_hash) context_hash:audit_context_first_seen_timestamp_seconds:min > time() - 14 * 86400
and on (context_hash) (
  context_hash:builds_judged:increase1d > 0
  or on (context_hash) (
    context_hash:builds_judged:increase30d
    unless on () sum(context_hash:builds_judged:increase1d) > 0
  )
)`,
    for: '15m',
    keep_firing_for: '1h',
    labels: { severity: 'warning', audit: 'builds' },
    summary: `First-pass rate under GEMINI.md {{ $labels.revision }} is lower than under {{ $labels.previous_revision }}.`,
    description: `{{ with query (printf "context_hash:builds_first_pass:increase30d{context_hash=%q} / context_hash:builds_judged:increase30d{context_hash=%q}" $labels.context_hash $labels.context_hash) }}{{ . | first | value | humanizePercentage }}{{ end }} of the {{ with query (printf "context_hash:builds_judged:increase30d{context_hash=%q}" $labels.context_hash) }}{{ . | first | value | printf "%.0f" }}{{ end }} builds under GEMINI.md {{ $labels.revision }} passed their first verification; under {{ $labels.previous_revision }} it was {{ with query (printf "context_hash:builds_first_pass_previous:increase30d{context_hash=%q} / context_hash:builds_judged_previous:increase30d{context_hash=%q}" $labels.context_hash $labels.context_hash) }}{{ . | first | value | humanizePercentage }}{{ end }} of {{ with query (printf "context_hash:builds_judged_previous:increase30d{context_hash=%q}" $labels.context_hash) }}{{ . | first | value | printf "%.0f" }}{{ end }}. The difference of {{ $value | humanizePercentage }} exceeds 3 standard errors. Builds under {{ $labels.revision }} in the last day: {{ with query (printf "context_hash:builds_judged:increase1d{context_hash=%q}" $labels.context_hash) }}{{ . | first | value | printf "%.0f" }}{{ else }}0{{ end }}.`,
  },
]
