/**
 * Every metric of the audits and every exact counter of the exporter itself, declared once.
 * A Prometheus name has underscores instead of dots, and `_total` at the end if it is a counter.
 * How to add one: CONTRIBUTING.md.
 */

type MetricKind = 'counter' | 'histogram'

export interface MetricDefinition {
  /** OpenTelemetry name. It contains the unit, as Prometheus expects. */
  readonly name: string
  readonly kind: MetricKind
  readonly help: string
  readonly labels: readonly string[]
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  readonly buckets?: readonly number[]
}

/** Labels that a series without a value does not have. Any other label is shown even if it is empty. */
export const OPTIONAL_LABELS: ReadonlySet<string> = new Set(['project'])

const TOKEN_BUCKETS = [
  100, 250, 500, 1_000, 2_500, 5_000, 7_500, 10_000, 15_000, 25_000, 50_000, 100_000, 250_000, 1_000_000,
]
const SECOND_BUCKETS = [1, 5, 10, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600]
const ERROR_LOG_BUCKETS = [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 1_000_000]
const FACTOR_BUCKETS = [0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 10, 25, 100]

/** A sum is exact where adding up scraped series is not: revisions beyond the limit leave the scrape (decisions/190). */
const OVERALL = 'under all revisions of GEMINI.md, also those that are not on the scrape: the sum of '

const counter = (name: string, labels: readonly string[], help: string): MetricDefinition => ({
  name,
  kind: 'counter',
  help,
  labels,
})
const histogram = (
  name: string,
  labels: readonly string[],
  buckets: readonly number[],
  help: string,
): MetricDefinition => ({ name, kind: 'histogram', help, labels, buckets })

export const CATALOGUE = {
  entries: counter(
    'audit.entries',
    ['step', 'phase', 'status', 'error_type', 'context_hash'],
    'Entries (steps) read from audit traces.',
  ),
  tokens: counter(
    'audit.tokens',
    ['step', 'phase', 'error_type', 'context_hash', 'type'],
    'Tokens spent, by prompt and completion; unsplit if only their sum is known.',
  ),
  contextEntries: counter(
    'audit.context_entries',
    ['phase', 'status', 'context_hash'],
    'Entries of all steps and error types: the sum of audit_entries_total by GEMINI.md revision.',
  ),
  overallEntries: counter(
    'audit.overall_entries',
    ['step', 'phase', 'status', 'error_type'],
    `Entries ${OVERALL}audit_entries_total.`,
  ),
  phaseEntries: counter(
    'audit.phase_entries',
    ['phase', 'status'],
    'Entries of all steps, error types and revisions of GEMINI.md: the sum of audit_overall_entries_total by phase.',
  ),
  overallTokens: counter(
    'audit.overall_tokens',
    ['step', 'phase', 'error_type', 'type'],
    `Tokens spent ${OVERALL}audit_tokens_total.`,
  ),
  phaseTokens: counter(
    'audit.phase_tokens',
    ['phase', 'type'],
    'Tokens spent in all steps, for all error types and revisions of GEMINI.md: the sum of audit_overall_tokens_total by phase.',
  ),
  promptTokens: counter(
    'audit.prompt_tokens',
    ['phase', 'context_hash', 'part'],
    'Prompt tokens by part, of the entries that give the prompt and a part of it: context (GEMINI.md), instruction, or other (system prompt, tools, history, and a part that is not given).',
  ),
  overallPromptTokens: counter(
    'audit.overall_prompt_tokens',
    ['phase', 'part'],
    `Prompt tokens by part ${OVERALL}audit_prompt_tokens_total.`,
  ),
  reworkCompletionTokens: counter(
    'audit.rework_completion_tokens',
    ['error_type', 'context_hash'],
    'Completion tokens of the rework steps whose error log size is known; over audit_rework_error_log_chars_total this is the rework cost factor.',
  ),
  reworkErrorLogChars: counter(
    'audit.rework_error_log_chars',
    ['error_type', 'context_hash'],
    'Characters of error log fed back in the rework steps whose completion tokens are known.',
  ),
  overallReworkCompletionTokens: counter(
    'audit.overall_rework_completion_tokens',
    ['error_type'],
    `Completion tokens of the rework steps whose error log size is known ${OVERALL}audit_rework_completion_tokens_total.`,
  ),
  overallReworkErrorLogChars: counter(
    'audit.overall_rework_error_log_chars',
    ['error_type'],
    `Characters of error log fed back ${OVERALL}audit_rework_error_log_chars_total.`,
  ),
  phaseReworkCompletionTokens: counter(
    'audit.phase_rework_completion_tokens',
    [],
    'The sum of audit_overall_rework_completion_tokens_total over all error types.',
  ),
  phaseReworkErrorLogChars: counter(
    'audit.phase_rework_error_log_chars',
    [],
    'The sum of audit_overall_rework_error_log_chars_total over all error types.',
  ),
  builds: counter('audit.builds', ['outcome', 'context_hash', 'project'], 'Builds closed, by outcome.'),
  buildTokens: counter(
    'audit.build_tokens',
    ['outcome', 'context_hash', 'project'],
    'All tokens of the closed builds, by the outcome of the build that spent them.',
  ),
  overallBuilds: counter(
    'audit.overall_builds',
    ['outcome', 'project'],
    `Builds closed ${OVERALL}audit_builds_total.`,
  ),
  overallBuildTokens: counter(
    'audit.overall_build_tokens',
    ['outcome', 'project'],
    `Tokens of the closed builds ${OVERALL}audit_build_tokens_total.`,
  ),
  instructionBuilds: counter(
    'audit.instruction_builds',
    ['instruction_version', 'phase', 'outcome'],
    'Builds closed, once for each prompt version that they used in a phase.',
  ),
  instructionTokens: counter(
    'audit.instruction_tokens',
    ['instruction_version', 'phase', 'type'],
    'Tokens spent, by prompt version.',
  ),
  instructionReworkCompletionTokens: counter(
    'audit.instruction_rework_completion_tokens',
    ['instruction_version'],
    'Completion tokens of the rework steps whose error log size is known; over audit_instruction_rework_error_log_chars_total this is the rework cost factor of a prompt version.',
  ),
  instructionReworkErrorLogChars: counter(
    'audit.instruction_rework_error_log_chars',
    ['instruction_version'],
    'Characters of error log fed back in the rework steps whose completion tokens are known, by prompt version.',
  ),
  modelTokens: counter(
    'audit.model_tokens',
    ['phase', 'model', 'type', 'project'],
    'Tokens of the entries that name a model: prompt (without its cached part), cached, completion; unsplit if only their sum is known.',
  ),
  costUsd: counter(
    'audit.cost_usd',
    ['phase', 'model', 'project'],
    'Cost in US dollars, of the entries that give it or whose model has a price.',
  ),
  stepTokenCost: histogram(
    'audit.step_token_cost',
    ['step', 'phase'],
    TOKEN_BUCKETS,
    'Tokens of one step, prompt and completion.',
  ),
  reworkCostFactor: histogram(
    'audit.rework_cost_factor',
    ['error_type'],
    FACTOR_BUCKETS,
    'Completion tokens per character of error log, of one rework step.',
  ),
  errorLogChars: histogram(
    'audit.error_log_chars',
    ['error_type'],
    ERROR_LOG_BUCKETS,
    'Characters of error log fed back to the agent in one rework step.',
  ),
  filesTouched: histogram(
    'audit.files_touched',
    ['phase'],
    [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 100],
    'Files that one step touched.',
  ),
  stepDurationSeconds: histogram(
    'audit.step_duration_seconds',
    ['phase'],
    SECOND_BUCKETS,
    'Duration of one step: duration_ms of the entry, or else the time since the previous entry of the build.',
  ),
  buildTokenCost: histogram(
    'audit.build_token_cost',
    ['outcome'],
    TOKEN_BUCKETS,
    'Tokens of one build when it closed.',
  ),
  buildDurationSeconds: histogram(
    'audit.build_duration_seconds',
    ['outcome'],
    [30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400],
    'Time from the start of one build to its last entry when it closed.',
  ),
  buildReworkSteps: histogram(
    'audit.build_rework_steps',
    ['outcome'],
    [0, 1, 2, 3, 4, 5, 7, 10, 20],
    'Rework steps of one build when it closed.',
  ),
  readBytes: counter(
    'audit_exporter.read_bytes',
    ['result'],
    'Bytes read, by result; with the pending bytes they add up to all bytes seen.',
  ),
  rejectedLines: counter('audit_exporter.rejected_lines', ['reason'], 'Lines that could not be counted.'),
  entryWarnings: counter(
    'audit_exporter.entry_warnings',
    ['reason'],
    'Warnings about entries that were counted, by reason.',
  ),
  truncations: counter(
    'audit_exporter.truncations',
    [],
    'Files that were truncated or replaced, and are read again from the start.',
  ),
  rotations: counter(
    'audit_exporter.rotations',
    [],
    'Files that were renamed, and are read on under their new name.',
  ),
  labelOverflow: counter(
    'audit_exporter.label_overflow',
    ['label'],
    'Entries with a label value beyond the limit, counted as _other.',
  ),
} as const satisfies Record<string, MetricDefinition>

export type MetricKey = keyof typeof CATALOGUE

/** Counters with their sums: what is added to one of their series is added to those of its sums, by fewer labels. */
export const SUMS: Readonly<Partial<Record<MetricKey, readonly MetricKey[]>>> = {
  entries: ['overallEntries', 'contextEntries', 'phaseEntries'],
  tokens: ['overallTokens', 'phaseTokens'],
  promptTokens: ['overallPromptTokens'],
  reworkCompletionTokens: ['overallReworkCompletionTokens', 'phaseReworkCompletionTokens'],
  reworkErrorLogChars: ['overallReworkErrorLogChars', 'phaseReworkErrorLogChars'],
  builds: ['overallBuilds'],
  buildTokens: ['overallBuildTokens'],
}

/** Returns the Prometheus name of a metric in the catalogue. */
export const prometheusName = (metric: MetricDefinition): string =>
  metric.name.replaceAll('.', '_') + (metric.kind === 'counter' ? '_total' : '')
