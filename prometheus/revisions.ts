import { select } from './increase.ts'
import type { RuleOptions } from './options.ts'
import type { RecordingRule, RuleGroup } from './rule.ts'

const FIRST_SEEN = 'context_hash:audit_context_first_seen_timestamp_seconds:min'
const KEY = 'context_hash:audit_context_order:key'
const RANK = 'context_hash:audit_context_order:rank'
const VERSION = 'context_hash:audit_context_version:info'
const PREVIOUS = 'context_hash:audit_context_previous:info'

/** Milliseconds since 1970 need 41 bits until 2039, 42 until 2109. */
const TIME_BITS = 42
/** Two hexadecimal digits of the hash decide between revisions first used in the same millisecond. */
const TIE_BITS = 8
const TIE_DIGITS = TIE_BITS / 4

const relabel = (expr: string, to: string, from: string, pattern = '(.*)', text = '$1'): string =>
  `label_replace(${expr}, "${to}", "${text}", "${from}", "${pattern}")`

/**
 * The first digits of a hash as a number. PromQL turns a label into a number in one place only: `le`, the bound of a
 * bucket. Go's parser takes a hexadecimal bound, and the quantile 1 of a single bucket is its bound.
 */
function leadingDigits(of: string): string {
  const one = `${of} * 0 + 1`
  const digits = `([0-9a-f]{${TIE_DIGITS}}).*`
  return (
    `(histogram_quantile(1, ${relabel(one, 'le', 'context_hash', digits, '0x${1}p0')} or ` +
    `${relabel(one, 'le', '', '', '+Inf')}) >= 0 or ${of} * 0)`
  )
}

/**
 * How many keys are less than a key whose bit `bit` is 1, counting those that agree with it above that bit and have 0
 * there. Over all bits these are all lesser keys: each differs from the key in one highest bit.
 */
function lessAtBit(bit: number): string {
  const label = `bit${bit}`
  const prefix = `floor(${KEY} / ${2 ** bit})`
  const own = `count_values by (context_hash) ("${label}", ${prefix} - 1 and ${prefix} % 2 == 1)`
  return `${own} * on (${label}) group_left () count_values ("${label}", ${prefix})`
}

const bits = Array.from({ length: TIME_BITS + TIE_BITS }, (_, bit) => bit)

const NAMES = ['context_hash', 'version', 'revision'] as const
const BY_NAME = NAMES.join(', ')

/** `rank` as a label of each revision with its names; shifted by one, it is the rank of the revision after it. */
const ranked = (rank: string): string =>
  `count_values by (${BY_NAME}) ("rank", ${rank} * on (context_hash) group_left (version, revision) ${VERSION})`

/** The day of the first use as a label, such as `2026-11-20`: PromQL has no dates, but a number can be a label. */
const DAY = relabel(
  `count_values by (context_hash) ("day", year(${FIRST_SEEN}) * 10000 + month(${FIRST_SEEN}) * 100 + day_of_month(${FIRST_SEEN}))`,
  'day',
  'day',
  '(.*)(..)(..)',
  '$1-$2-$3',
)
/** The name on panels: the first seven digits of the hash, and the day. */
const NAMED = `label_join(${relabel(DAY, 'short', 'context_hash', '(.{1,7}).*')}, "revision", " ", "short", "day")`
const NUMBERED = relabel(
  `count_values by (context_hash) ("version", ${RANK})`,
  'version',
  'version',
  '(.*)',
  'v$1',
)

const previous = (from: string): string => `previous_${from.replace('context_', '')}`

/** One recording rule after another, each from the one before it. */
const rules = (exporters: string): RecordingRule[] => [
  {
    record: FIRST_SEEN,
    // A window, since an exporter that lives for one build may be gone before the next evaluation.
    expr: `min by (context_hash) (\nmin_over_time(${select('audit_context_first_seen_timestamp_seconds', exporters)}[5m])\nor last_over_time(${FIRST_SEEN}[1d])\n)`,
  },
  {
    record: KEY,
    expr: `clamp(floor(${FIRST_SEEN} * 1000), 0, ${2 ** TIME_BITS - 1}) * ${2 ** TIE_BITS}\n+ ${leadingDigits(FIRST_SEEN)}`,
  },
  {
    record: RANK,
    expr: `1 + (sum by (context_hash) (\n${bits.map(lessAtBit).join('\nor\n')}\n) or ${KEY} * 0)`,
  },
  {
    record: VERSION,
    expr: `sum by (${BY_NAME}) (\n${NUMBERED}\n* on (context_hash) group_left (revision)\n${NAMED}\n)`,
  },
  {
    record: PREVIOUS,
    expr:
      `sum by (${BY_NAME}, ${NAMES.map(previous).join(', ')}) (\n${ranked(RANK)}\n` +
      `* on (rank) group_left (${NAMES.map(previous).join(', ')})\n` +
      `topk by (rank) (1, ${NAMES.reduce((expr, from) => relabel(expr, previous(from), from), ranked(`(${RANK} + 1)`))})\n)`,
  },
]

export const revisionGroups = ({ selector }: RuleOptions): RuleGroup[] => [
  { name: 'audit-revisions', interval: '1m', rules: rules(selector) },
]
