import { MIN_GROUP } from './comparison.ts'
import type { Comparisons } from './comparisons.ts'
import type { Database } from './database.ts'
import { drawOfBoth, type DrawSize } from './draw.ts'
import type { Report } from './schema.ts'
import { literal } from './sql.ts'
import { meanEstimate, wilson } from './statistics.ts'
import { pooled } from './sums.ts'

type Prompts = Report['prompt_refinement']
type Implement = Prompts['implement'][number]
type Fix = Prompts['fixes'][number]

/** How builds and fixes fare under each version of the implement prompt and of the fix prompt. */
export async function promptRefinement(
  database: Database,
  comparisons: Comparisons,
  lacking: string[],
): Promise<Prompts> {
  const implement = await implementVersions(database)
  const fixes = await fixVersions(database)
  return {
    implement,
    fixes,
    comparisons: [
      ...(await compareImplement(database, implement, comparisons, lacking)),
      ...(await compareFixes(database, fixes, comparisons, lacking)),
    ],
  }
}

async function implementVersions(database: Database): Promise<Implement[]> {
  const rows = await database.all<{
    instruction_version: string
    steps: number
    n: number
    mean: number
    variance: number
    builds: number
    judged: number
    first_pass: number
  }>(`
    SELECT e.instruction_version, e.steps, e.n, e.mean, e.variance,
      coalesce(b.builds, 0)::INTEGER AS builds,
      coalesce(b.judged, 0)::INTEGER AS judged, coalesce(b.first_pass, 0)::INTEGER AS first_pass
    FROM (
      SELECT instruction_version, steps, coalesce(n, 0) AS n, mean, variance FROM (
        SELECT instruction_version, sum(entries)::INTEGER AS steps FROM entry_sums
        WHERE phase = 'implement' AND instruction_version IS NOT NULL GROUP BY ALL
      ) LEFT JOIN (${pooled('completion_tokens', 'instruction_version', "phase = 'implement'")}) USING (instruction_version)
    ) e LEFT JOIN (
      SELECT instruction_version, count(*) AS builds, count(*) FILTER (outcome <> 'abandoned') AS judged,
        count(*) FILTER (outcome = 'first_pass') AS first_pass
      FROM implement_versions GROUP BY ALL
    ) b USING (instruction_version) ORDER BY steps DESC, instruction_version`)
  return rows.map(({ n, mean, variance, ...row }) => ({
    ...row,
    completion_tokens: meanEstimate({ n, mean, variance }),
    first_pass_rate: wilson(row.first_pass, row.judged),
  }))
}

async function fixVersions(database: Database): Promise<Fix[]> {
  const rows = await database.all<{
    instruction_version: string
    fixes: number
    n: number
    mean: number
    variance: number
    factor: number | null
    judged: number
    passed: number
  }>(`
    SELECT instruction_version, count(*)::INTEGER AS fixes, count(completion_tokens)::INTEGER AS n,
      avg(completion_tokens) AS mean, var_samp(completion_tokens) AS variance,
      sum(completion_tokens) FILTER (error_log_chars > 0)
        / sum(error_log_chars) FILTER (error_log_chars > 0 AND completion_tokens IS NOT NULL) AS factor,
      count(verdict)::INTEGER AS judged, (count(*) FILTER (verdict = 'pass'))::INTEGER AS passed
    FROM fixes WHERE instruction_version IS NOT NULL GROUP BY ALL ORDER BY fixes DESC, instruction_version`)
  return rows.map(({ n, mean, variance, factor, ...row }) => ({
    ...row,
    completion_tokens: meanEstimate({ n, mean, variance }),
    rework_cost_factor: factor,
    pass_rate: wilson(row.passed, row.judged),
  }))
}

type Compared = Prompts['comparisons'][number]

/** A prompt version and its independent uses. */
interface Usage {
  readonly instruction_version: string
  readonly n: number
}

/** Compares builds that used exactly one prompt version, one value for each build. */
async function compareImplement(
  database: Database,
  versions: readonly Implement[],
  comparisons: Comparisons,
  lacking: string[],
): Promise<Compared[]> {
  const builds = await database.all<Usage>(`
    SELECT instruction_version, count(*)::INTEGER AS n FROM implement_builds GROUP BY ALL`)
  const what = 'implement prompt, builds with one version'
  return compare(database, pairUp(what, usagesOf(versions, builds), lacking), {
    phase: 'implement',
    rate: 'first_pass_rate',
    what,
    from: `SELECT *, CASE WHEN outcome <> 'abandoned' THEN (outcome = 'first_pass')::INTEGER END AS passed
      FROM implement_builds`,
    comparisons,
  })
}

/** Compares the first fix of each build: later ones depend on it. */
async function compareFixes(
  database: Database,
  versions: readonly Fix[],
  comparisons: Comparisons,
  lacking: string[],
): Promise<Compared[]> {
  const firsts = await database.all<Usage>(`
    SELECT instruction_version, count(*)::INTEGER AS n FROM fixes WHERE attempt = 1 AND instruction_version IS NOT NULL GROUP BY ALL`)
  const what = 'fix prompt, first fixes'
  return compare(database, pairUp(what, usagesOf(versions, firsts), lacking), {
    phase: 'rework',
    rate: 'pass_rate',
    what,
    from: `SELECT *, (verdict = 'pass')::INTEGER AS passed FROM fixes
      WHERE attempt = 1 AND instruction_version IS NOT NULL`,
    comparisons,
  })
}

/** The most used first. A version without an independent use has `n` 0. */
const usagesOf = (
  versions: readonly { readonly instruction_version: string }[],
  counted: readonly Usage[],
): Usage[] =>
  versions
    .map(
      ({ instruction_version }) =>
        counted.find((row) => row.instruction_version === instruction_version) ?? {
          instruction_version,
          n: 0,
        },
    )
    .toSorted((a, b) => b.n - a.n)

type Pair = readonly [first: Usage, second: Usage]

/** Pairs the most used version with each other version that has enough uses. One line of `lacking` names the rest. */
function pairUp(what: string, usages: readonly Usage[], lacking: string[]): Pair[] {
  const [most, ...others] = usages
  if (most === undefined) return []
  const often = most.n < MIN_GROUP ? [] : others.filter(({ n }) => n >= MIN_GROUP)
  const rare = others.slice(often.length)
  const [example] = rare
  if (example !== undefined) {
    const more = rare.length > 1 ? ` (and ${rare.length - 1} more versions with as few)` : ''
    lacking.push(
      `${what}: ${most.instruction_version} has ${most.n}, ${example.instruction_version} has ${example.n}${more}; ${MIN_GROUP} each are needed.`,
    )
  }
  return often.map((other) => [most, other])
}

interface Measured {
  readonly phase: Compared['phase']
  /** Name of the measure for the share that passed. */
  readonly rate: string
  readonly what: string
  /**
   * A query with `started_ms`, `instruction_version`, `instruction_assignment` (null: not at random), `passed` (null without a
   * verdict) and `completion_tokens`.
   */
  readonly from: string
  readonly comparisons: Comparisons
}

async function compare(
  database: Database,
  pairs: readonly Pair[],
  { phase, rate, what, from, comparisons }: Measured,
): Promise<Compared[]> {
  if (pairs.length === 0) return []
  const draws = await drawsOf(database, from)
  const measuresOf = async (draw: string | undefined) => {
    const among = draw === undefined ? 'true' : `instruction_assignment = ${literal(draw)}`
    const values = (column: string): string =>
      `SELECT started_ms, instruction_version AS grp, ${column} AS value FROM (${from}) WHERE ${among}`
    return [
      [rate, 'with a verdict', await comparisons.shares(values('passed'))],
      ['completion_tokens', 'with completion tokens', await comparisons.means(values('completion_tokens'))],
    ] as const
  }
  const measures = new Map<string | undefined, Awaited<ReturnType<typeof measuresOf>>>()
  const made: Compared[] = []
  for (const [first, second] of pairs) {
    const names = { first: first.instruction_version, second: second.instruction_version }
    const draw = drawOfBoth(draws, names)
    const known = measures.get(draw) ?? (await measuresOf(draw))
    measures.set(draw, known)
    for (const [measure, which, values] of known) {
      const title = `${what}, ${names.first} and ${names.second}, ${which}`
      const comparison = await values.compare({ what: title, ...names })
      if (comparison !== null)
        made.push({ phase, measure, ...names, assigned_at_random: draw !== undefined, comparison })
    }
  }
  return made
}

const drawsOf = (database: Database, from: string): Promise<DrawSize[]> =>
  database.all<DrawSize>(`
    SELECT instruction_assignment AS draw, instruction_version AS version, count(*)::INTEGER AS n FROM (${from})
    WHERE instruction_assignment IS NOT NULL GROUP BY ALL`)
