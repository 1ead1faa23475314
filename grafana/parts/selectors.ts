/** Label matchers of the exporters that are selected above every dashboard, */
export const JOB = 'job=~"$job"'
/** and on the dashboard about single exporters. */
export const INSTANCE = 'instance=~"$instance"'

/**
 * The chosen revisions. With all of them the variable is `()`, which matches only a missing label: that of the counters over
 * all revisions, beside which `countersOf` puts those of single ones.
 */
export const CONTEXT = 'context_hash=~"$context"'
/** The same for what is shown by revision: all hashes have the same length, so none begins with another. */
export const EACH_CONTEXT = 'context_hash=~"$context.*"'

// That the label is there is said last: Prometheus then finds at once that nothing matches `()`.
/** The revisions whose own series are added up: the chosen ones; all where the sums over them do not cover the time range. */
export const COUNTED = 'context_hash=~"$revisions",context_hash!=""'
/** Each revision, where sums do not cover the time range; else none. */
export const UNCOVERED = 'context_hash=~"$uncovered",context_hash!=""'

/** The newest of the chosen revisions, for tables of revision × error type, */
export const NEWEST = 'context_hash=~"$newest"'
/** and the one before each. */
export const COMPARED = 'context_hash=~"$newest|$before"'
