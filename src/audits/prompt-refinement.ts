import { MIN_GROUP, type Comparisons } from './comparisons.ts'
import type { Database } from './database.ts'
import type { Comparison, Report } from './schema.ts'
import { literal } from './sql.ts'
import { meanEstimate, wilson } from './statistics.ts'

type Prompts = Report['prompt_refinement']
type Implement = Prompts['implement'][number]
type Fix = Prompts['fixes'][number]

/** How the wordings of the instructions and of the fix prompts fare. */
export async function promptRefinement(
  database: Database,
  comparisons: Comparisons,
  lacking: string[],
): Promise<Prompts> {
  const implement = await implementWordings(database)
  const fixes = await fixWordings(database)
  return {
    implement,
    fixes,
    comparisons: [
      ...(await compareImplement(implement, comparisons, lacking)),
      ...(await compareFixes(database, fixes, comparisons, lacking)),
    ],
  }
}

async function implementWordings(database: Database): Promise<Implement[]> {
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
      SELECT instruction_version, count(*)::INTEGER AS steps, count(completion_tokens)::INTEGER AS n,
        avg(completion_tokens) AS mean, var_samp(completion_tokens) AS variance
      FROM entries WHERE phase = 'implement' AND instruction_version IS NOT NULL GROUP BY ALL
    ) e LEFT JOIN (
      SELECT instruction_version, count(*) AS builds, count(*) FILTER (outcome <> 'abandoned') AS judged,
        count(*) FILTER (outcome = 'first_pass') AS first_pass
      FROM wordings WHERE phase = 'implement' GROUP BY ALL
    ) b USING (instruction_version) ORDER BY steps DESC, instruction_version`)
  return rows.map(({ n, mean, variance, ...row }) => ({
    ...row,
    completion_tokens: meanEstimate({ n, mean, variance }),
    first_pass_rate: wilson(row.first_pass, row.judged),
  }))
}

async function fixWordings(database: Database): Promise<Fix[]> {
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

async function compareImplement(
  wordings: readonly Implement[],
  comparisons: Comparisons,
  lacking: string[],
): Promise<Compared[]> {
  const [most, ...others] = wordings
  const made: Compared[] = []
  for (const other of most === undefined ? [] : others) {
    const [first, second] = [most as Implement, other]
    const of = (measure: string, comparison: Comparison | null): void => {
      if (comparison !== null) made.push({ phase: 'implement', measure, ...named(first, second), comparison })
    }
    if (Math.min(first.steps, second.steps) < MIN_GROUP) {
      lacking.push(tooFew('implement', first, first.steps, second, second.steps))
      continue
    }
    of('first_pass_rate', comparisons.rates(first.first_pass, first.judged, second.first_pass, second.judged))
    of(
      'completion_tokens',
      await comparisons.means(completions(first, second, "entries WHERE phase = 'implement'")),
    )
  }
  return made
}

/** Only the first fix of each build: later ones depend on it. */
async function compareFixes(
  database: Database,
  wordings: readonly Fix[],
  comparisons: Comparisons,
  lacking: string[],
): Promise<Compared[]> {
  const [most, ...others] = wordings
  const made: Compared[] = []
  const firsts = await database.all<{ instruction_version: string; judged: number; passed: number }>(`
    SELECT instruction_version, count(verdict)::INTEGER AS judged,
      (count(*) FILTER (verdict = 'pass'))::INTEGER AS passed
    FROM fixes WHERE attempt = 1 AND instruction_version IS NOT NULL GROUP BY ALL`)
  const firstsOf = (wording: Fix) =>
    firsts.find((row) => row.instruction_version === wording.instruction_version) ?? { judged: 0, passed: 0 }
  for (const other of most === undefined ? [] : others) {
    const [first, second] = [most as Fix, other]
    const [a, b] = [firstsOf(first), firstsOf(second)]
    const of = (measure: string, comparison: Comparison | null): void => {
      if (comparison !== null) made.push({ phase: 'rework', measure, ...named(first, second), comparison })
    }
    if (Math.min(a.judged, b.judged) < MIN_GROUP) {
      lacking.push(tooFew('first fixes', first, a.judged, second, b.judged))
      continue
    }
    of('pass_rate', comparisons.rates(a.passed, a.judged, b.passed, b.judged))
    of('completion_tokens', await comparisons.means(completions(first, second, 'fixes WHERE attempt = 1')))
  }
  return made
}

interface Wording {
  readonly instruction_version: string
}

const named = (first: Wording, second: Wording): { first: string; second: string } => ({
  first: first.instruction_version,
  second: second.instruction_version,
})

/** Completion tokens by wording: side 1 or 2, and no other wordings. */
const completions = (first: Wording, second: Wording, from: string): string =>
  `SELECT CASE instruction_version WHEN ${literal(first.instruction_version)} THEN 1 ELSE 2 END AS side,
     completion_tokens AS value
   FROM ${from} AND instruction_version IN (${literal(first.instruction_version)}, ${literal(second.instruction_version)})`

const tooFew = (what: string, first: Wording, n1: number, second: Wording, n2: number): string =>
  `Wordings ${first.instruction_version} and ${second.instruction_version} (${what}): ${n1} and ${n2}; ${MIN_GROUP} each are needed.`
