/** Label matchers of the exporters that are selected above every dashboard, */
export const JOB = 'job=~"$job"'
/** and on the dashboard about single exporters. */
export const INSTANCE = 'instance=~"$instance"'

/**
 * The chosen revisions, in what measures are asked for: `countersOf` puts matchers into its place. With all of them the
 * variable is `()`, which matches only a missing label: that of the sums over all revisions.
 */
export const CONTEXT = 'context_hash=~"$context"'
/** The same for what is shown by revision: all hashes have the same length, so none begins with another. */
export const EACH_CONTEXT = 'context_hash=~"$context.*"'

/** The chosen error types; with all of them it matches a missing label, too. */
export const ERROR = 'error_type=~"$error"'

/**
 * How the names of counters begin: of those by revision, of the sums over all revisions, and of those over steps and error
 * types as well.
 */
export const FAMILIES = { own: 'audit_', overall: 'audit_overall_', phase: 'audit_phase_' } as const
/** One of both: the sums with all revisions, if they cover the time range. */
export const FAMILY = '${family}'
/** The same for what needs neither steps nor error types: the sums by phase, if no error type is chosen either. */
export const SCOPE = '${scope}'
/** The revisions whose series are added up: the chosen ones; all, or those of the sums, which have none. */
export const COUNTED = 'context_hash=~"$revisions"'
// That the label is there is said last: Prometheus then finds at once that nothing matches `()`.
/** Each revision, where sums do not cover the time range; else none. */
export const UNCOVERED = 'context_hash=~"$uncovered",context_hash!=""'

/** The newest of the chosen revisions, for tables of revision × error type, */
export const NEWEST = 'context_hash=~"$newest"'
/** and the one before each. */
export const COMPARED = 'context_hash=~"$newest|$before"'
