import { MIN_GROUP } from './comparison.ts'
import { tooFew, type Comparisons, type Measure } from './comparisons.ts'
import type { Database } from './database.ts'
import type { Report } from './schema.ts'
import { literal } from './sql.ts'
import { wilson } from './statistics.ts'
import { named } from './words.ts'

type Constraints = Report['constraint_effectiveness']
type Revision = Constraints['revisions'][number]

/** Two revisions were used side by side if more than this share of the builds of each started while the other was in use. */
const SIDE_BY_SIDE = 0.1

/** An error type with fewer failures on both sides together is not compared. */
const MIN_FAILURES = 10

/** Which errors occur, and what each revision of GEMINI.md changed. Adds to `lacking` what cannot be compared. */
export async function constraintEffectiveness(
  database: Database,
  comparisons: Comparisons,
  lacking: string[],
): Promise<Constraints> {
  const revisions = await listRevisions(database)
  return {
    error_types: await errorTypes(database),
    revisions,
    changes: await listChanges(database, revisions, comparisons, lacking),
  }
}

const errorTypes = (database: Database): Promise<Constraints['error_types']> =>
  database.all(`
    SELECT f.error_type, failures::INTEGER AS failures, failures / sum(failures) OVER () AS share,
      builds::INTEGER AS builds, coalesce(rework_tokens, 0) AS rework_tokens
    FROM (
      SELECT error_type, count(*) AS failures, count(DISTINCT run_id) AS builds FROM entries
      WHERE status = 'fail' GROUP BY error_type
    ) f LEFT JOIN (
      SELECT error_type, sum(total_tokens) AS rework_tokens FROM entry_sums WHERE phase = 'rework' GROUP BY error_type
    ) r ON f.error_type = r.error_type
    ORDER BY failures DESC, f.error_type`)

async function listRevisions(database: Database): Promise<Revision[]> {
  const failures = await database.all<{
    context_hash: string
    error_type: string
    builds: number
    n: number
  }>(`
    SELECT context_hash, first_error_type AS error_type, count(*) FILTER (first_status = 'fail')::INTEGER AS builds,
      (sum(count(*)) OVER (PARTITION BY context_hash))::INTEGER AS n
    FROM builds WHERE first_status IS NOT NULL GROUP BY context_hash, first_error_type
    ORDER BY builds DESC, error_type`)
  const [latest] = await database.all<{ context_hash: string }>(
    'SELECT context_hash FROM starts ORDER BY n DESC LIMIT 1',
  )
  const rows = await database.all<{
    version: number
    context_hash: string
    first_seen_ms: number
    builds: number
    judged: number
    first_pass: number
    tokens: number
    successes: number
  }>(`
    SELECT r.version, r.context_hash, r.first_seen_ms, count(*)::INTEGER AS builds,
      (count(*) FILTER (outcome <> 'abandoned'))::INTEGER AS judged,
      (count(*) FILTER (outcome = 'first_pass'))::INTEGER AS first_pass, coalesce(sum(tokens), 0) AS tokens,
      (count(*) FILTER (outcome IN ('first_pass', 'after_rework')))::INTEGER AS successes
    FROM revisions r JOIN builds b USING (context_hash) GROUP BY ALL ORDER BY r.version`)
  return rows.map(({ version, first_seen_ms: firstSeenMs, ...row }) => ({
    version: `v${version}`,
    first_seen: new Date(firstSeenMs).toISOString(),
    ...row,
    current: row.context_hash === latest?.context_hash,
    first_pass_rate: wilson(row.first_pass, row.judged),
    tokens_per_successful_build: row.successes > 0 ? row.tokens / row.successes : null,
    first_failures: failures
      .filter((failure) => failure.context_hash === row.context_hash && failure.builds > 0)
      .map(({ error_type, builds, n }) => ({ error_type, builds, rate: wilson(builds, n) })),
  }))
}

/** The measures by which all pairs of revisions are compared. */
interface Measures {
  readonly firstPass: Measure
  readonly tokens: Measure
  /** By error type: the share of first validations that failed with it. */
  readonly failure: (type: string) => Measure
}

async function listChanges(
  database: Database,
  revisions: readonly Revision[],
  comparisons: Comparisons,
  lacking: string[],
): Promise<Constraints['changes']> {
  const validated = await database.all<{ context_hash: string; n: number }>(
    'SELECT context_hash, count(first_status)::INTEGER AS n FROM builds GROUP BY context_hash',
  )
  const validatedOf = (revision: Revision): number =>
    validated.find((row) => row.context_hash === revision.context_hash)?.n ?? 0
  const measures = await measuresOf(comparisons)
  const changes: Constraints['changes'] = []
  for (const [i, to] of revisions.entries()) {
    const from = revisions[i - 1]
    if (from === undefined) continue
    const sideBySide = await areSideBySide(database, from, to)
    const what = `GEMINI.md ${from.version} ${sideBySide ? 'and' : 'to'} ${to.version}`
    const names = { from: from.version, to: to.version, side_by_side: sideBySide }
    if (Math.min(from.builds, to.builds) < MIN_GROUP) {
      lacking.push(tooFew(`${what}, closed builds`, from.builds, to.builds))
      changes.push({ ...names, first_pass_rate: null, tokens_per_build: null, first_failures: [] })
      continue
    }
    const pair = { first: from.context_hash, second: to.context_hash }
    changes.push({
      ...names,
      first_pass_rate: await measures.firstPass.compare({ what: `${what}, builds with a verdict`, ...pair }),
      tokens_per_build: await measures.tokens.compare({ what: `${what}, tokens per build`, ...pair }),
      first_failures: await firstFailures(
        what,
        [from, validatedOf(from)],
        [to, validatedOf(to)],
        measures,
        lacking,
      ),
    })
  }
  return changes
}

async function measuresOf(comparisons: Comparisons): Promise<Measures> {
  return {
    firstPass: await comparisons.shares(
      `SELECT started_ms, context_hash AS grp, (outcome = 'first_pass')::INTEGER AS value FROM builds
       WHERE outcome <> 'abandoned'`,
    ),
    tokens: await comparisons.means('SELECT started_ms, context_hash AS grp, tokens AS value FROM builds'),
    failure: await comparisons.kinds(
      `SELECT started_ms, context_hash AS grp, CASE WHEN first_status = 'fail' THEN first_error_type END AS kind
       FROM builds WHERE first_status IS NOT NULL`,
    ),
  }
}

/** Whether two revisions were in use at the same time. Neither is then the successor of the other. */
async function areSideBySide(database: Database, from: Revision, to: Revision): Promise<boolean> {
  const pair = `(${literal(from.context_hash)}, ${literal(to.context_hash)})`
  const shares = await database.all<{ share: number }>(`
    WITH pair AS (SELECT context_hash, n FROM starts WHERE context_hash IN ${pair}),
      spans AS (SELECT context_hash, min(n) AS first, max(n) AS last FROM pair GROUP BY context_hash)
    SELECT avg((p.n BETWEEN other.first AND other.last)::INTEGER) AS share
    FROM pair p JOIN spans other ON other.context_hash <> p.context_hash GROUP BY p.context_hash`)
  return shares.length === 2 && shares.every(({ share }) => share > SIDE_BY_SIDE)
}

type Validated = readonly [revision: Revision, builds: number]

async function firstFailures(
  what: string,
  [from, fromBuilds]: Validated,
  [to, toBuilds]: Validated,
  measures: Measures,
  lacking: string[],
): Promise<Constraints['changes'][number]['first_failures']> {
  const failed = (revision: Revision, type: string): number =>
    revision.first_failures.find(({ error_type }) => error_type === type)?.builds ?? 0
  const types = [...from.first_failures, ...to.first_failures].map(({ error_type }) => error_type)
  const counts = [...new Set(types)]
    .toSorted()
    .map((error_type) => ({ error_type, before: failed(from, error_type), after: failed(to, error_type) }))
  const isRare = ({ before, after }: (typeof counts)[number]): boolean => before + after < MIN_FAILURES
  const rare = counts.filter(isRare).length
  if (rare > 0) {
    lacking.push(
      `${what}, error types of first verifications: ${rare} of ${counts.length} failed fewer than ${MIN_FAILURES} times.`,
    )
  }
  const others = counts.filter((each) => !isRare(each))
  if (others.length > 0 && Math.min(fromBuilds, toBuilds) < MIN_GROUP) {
    lacking.push(tooFew(`${what}, verified builds`, fromBuilds, toBuilds))
    return []
  }
  const failures: Constraints['changes'][number]['first_failures'] = []
  for (const { error_type: type } of others) {
    const rate = await measures.failure(type).compare({
      what: `${what}, first verifications that fail with ${named(type)}`,
      first: from.context_hash,
      second: to.context_hash,
    })
    if (rate !== null) failures.push({ error_type: type, rate })
  }
  return failures
}
