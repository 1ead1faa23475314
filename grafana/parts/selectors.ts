/** Label matchers of the exporters that are selected above every dashboard, */
export const JOB = 'job=~"$job"'
/** and on the dashboard about single exporters. */
export const INSTANCE = 'instance=~"$instance"'
