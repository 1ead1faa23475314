import { counted, number, percent, quotient, typeName } from '../render/format.ts'
import { isFound, MIN_GROUP } from './comparison.ts'
import type { Verdict } from '../render/verdicts.ts'
import type { Comparison } from './schema.ts'

/** One side of a comparison: its name in a sentence, how many builds it has, and their mean or share. */
export interface Side {
  readonly name: string
  readonly n: number
  readonly value: number | null
}

/** Two sides by one measure; the comparison is null where there is not enough data. */
export interface Compared {
  readonly before: Side
  /** What the verdict is about. */
  readonly after: Side
  readonly comparison: Comparison | null
  /** Chance decided to which side each build belongs. */
  readonly isAssigned?: boolean
}

/** From one revision of GEMINI.md to the next by first use. */
export interface Change {
  readonly tokens: Compared
  readonly firstPass: Compared
  /** Both were in use at the same time: neither is the successor of the other. */
  readonly isSideBySide: boolean
}

/** What the verdicts are derived from: by the report from its audits, by the page from the builds that started last. */
export interface Evidence {
  /** In order of first use. */
  readonly changes: readonly Change[]
  /** First-pass rates with the implement prompt used most, after the one that comes next; `undefined` with fewer than two. */
  readonly prompts: Compared | undefined
  /** The tokens of fixes by error type, the most first, and all tokens. */
  readonly fixes: readonly { readonly errorType: string; readonly tokens: number }[]
  readonly tokens: number
}

type Word = Verdict['verdict']

/** One sentence for each of the four audits, by the rule of decisions/064. */
export function verdictsOf({ changes, prompts, fixes, tokens }: Evidence): Verdict[] {
  const latest = changes.at(-1)
  return [
    {
      audit: 'Token efficiency',
      ...judged(latest?.tokens, latest, false),
      sentence: `${compareTokens(latest)}. ${spending(fixes, tokens)}`,
    },
    {
      audit: 'Constraint effectiveness',
      ...judged(latest?.firstPass, latest, true),
      sentence: `${compareRates(latest?.firstPass, 'under', ONE_REVISION, latest)}.`,
    },
    {
      audit: 'Prompt refinement',
      ...judged(prompts, undefined, true),
      sentence: `${compareRates(prompts, 'with', 'Fewer than two versions of the implement prompt are known')}.`,
    },
    { audit: 'Context volatility', ...volatility(changes) },
  ]
}

const ONE_REVISION = 'Fewer than two revisions of GEMINI.md are known'

/** The word for a difference, as far as there is one. */
function judged(
  compared: Compared | undefined,
  change: Pick<Change, 'isSideBySide'> | undefined,
  isHigherBetter: boolean,
): { verdict: Word } {
  if (compared === undefined) return { verdict: 'nothing to compare' }
  if (compared.comparison === null) return { verdict: 'not enough data' }
  if (change?.isSideBySide === true) return { verdict: 'unclear' }
  return { verdict: wordOf(compared.comparison, isHigherBetter) }
}

function wordOf(comparison: Comparison, isHigherBetter: boolean): 'better' | 'worse' | 'unclear' {
  if (!isFound(comparison)) return 'unclear'
  return comparison.difference.value > 0 === isHigherBetter ? 'better' : 'worse'
}

function compareTokens(change: Change | undefined): string {
  if (change === undefined) return ONE_REVISION
  const { before, after } = change.tokens
  if (before.value === null || after.value === null) return noBuild(change.tokens)
  return (
    `Builds under ${after.name} cost ${number(after.value)} tokens on average, under ${before.name} ${number(before.value)} ` +
    `(n = ${number(after.n)} and ${number(before.n)})${caveat(change.tokens, change)}`
  )
}

function compareRates(
  compared: Compared | undefined,
  under: 'under' | 'with',
  otherwise: string,
  change?: Change,
): string {
  if (compared === undefined) return otherwise
  const { before, after } = compared
  if (before.value === null || after.value === null) return noBuild(compared)
  return (
    `${percent(after.value)} of the builds pass at first ${under} ${after.name}, ${percent(before.value)} ${under} ` +
    `${before.name} (n = ${number(after.n)} and ${number(before.n)}${compared.isAssigned === true ? ', assigned at random' : ''})${caveat(compared, change)}`
  )
}

const noBuild = (compared: Compared): string => {
  const { name } = compared.after.n === 0 ? compared.after : compared.before
  return `No build under ${name} has a verdict yet: not enough data, 0 of ${MIN_GROUP}`
}

/** Why there is no verdict. */
function caveat(compared: Compared, change: Pick<Change, 'isSideBySide'> | undefined): string {
  const fewer = compared.after.n < compared.before.n ? compared.after : compared.before
  if (fewer.n < MIN_GROUP) return `: not enough data, ${fewer.n} of ${MIN_GROUP} under ${fewer.name}`
  if (compared.comparison === null) return ': not enough days to tell a difference from the luck of a day'
  if (change?.isSideBySide === true) return ': both are used side by side, perhaps for different work'
  return ''
}

function spending(fixes: Evidence['fixes'], tokens: number): string {
  const rework = fixes.reduce((sum, fix) => sum + fix.tokens, 0)
  const [most] = fixes
  if (most === undefined || rework === 0) return 'No tokens were spent on fixes.'
  return `Fixes take ${quotient(rework, tokens, percent)} of all tokens, most of them for ${typeName(most.errorType)} (${quotient(most.tokens, rework, percent)}).`
}

/** Whether the changes of GEMINI.md have been for the better, each judged by tokens and first-pass rate. */
function volatility(changes: readonly Change[]): { verdict: Word; sentence: string } {
  if (changes.length === 0) return { verdict: 'nothing to compare', sentence: `${ONE_REVISION}.` }
  const words = changes.map(wordOfChange)
  const count = (word: Word): number => words.filter((each) => each === word).length
  const [better, worse] = [count('better'), count('worse')]
  const unclear = count('unclear')
  const lacking = fewestOf(changes.at(-1))
  const parts = [
    [better, 'for the better'],
    [worse, 'for the worse'],
    [unclear, 'unclear'],
    [count('not enough data'), `without enough data${lacking}`],
  ] as const
  const list = parts.filter(([n]) => n > 0).map(([n, what]) => `${number(n)} ${what}`)
  return {
    verdict: sumOf(better, worse, unclear),
    sentence: `Of ${counted(changes.length, 'change')} of GEMINI.md: ${list.join(', ')}.`,
  }
}

/** How many builds the latest change has, where they are too few. */
function fewestOf(change: Change | undefined): string {
  if (change === undefined) return ''
  const { before, after } = change.tokens
  const fewer = after.n < before.n ? after : before
  return fewer.n < MIN_GROUP ? ` (${fewer.name}: ${fewer.n} of ${MIN_GROUP})` : ''
}

function sumOf(better: number, worse: number, unclear: number): Word {
  if (better + worse + unclear === 0) return 'not enough data'
  if (better > 0 && worse === 0) return 'better'
  return worse > 0 && better === 0 ? 'worse' : 'unclear'
}

function wordOfChange({ tokens, firstPass, isSideBySide }: Change): Word {
  const words = [
    ...(tokens.comparison === null ? [] : [wordOf(tokens.comparison, false)]),
    ...(firstPass.comparison === null ? [] : [wordOf(firstPass.comparison, true)]),
  ]
  if (words.length === 0) return 'not enough data'
  if (isSideBySide) return 'unclear'
  const [isBetter, isWorse] = [words.includes('better'), words.includes('worse')]
  return isBetter === isWorse ? 'unclear' : isBetter ? 'better' : 'worse'
}
