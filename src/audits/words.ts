import { counted, number, orNone, percent, typeName } from '../render/format.ts'
import type { Insight, Report } from './schema.ts'
import { ADOPTION_WINDOW } from './views.ts'

/** Says which lines and files were not read; empty where everything was read. */
export function notRead({ input }: Pick<Report, 'input'>): string {
  const sentences = [
    input.unfinished_lines > 0 &&
      `Left out: ${counted(input.unfinished_lines, 'last line')} without a newline (${counted(input.unfinished_bytes, 'byte')}).`,
    input.rotated_files > 0 && `Not read: ${counted(input.rotated_files, 'rotated file')} beside the traces.`,
  ]
  return sentences.filter((sentence) => sentence !== false).join(' ')
}

/** Explains the third part of a prompt. */
export const OTHER_PART = 'Other is the system prompt, the tools and the history of the agent.'

/** What the words of the verdicts mean. */
export const VERDICT_BASIS =
  'Better and worse: a difference that chance alone would rarely produce, with at least 20 builds on each side, corrected for the number of ' +
  'comparisons and for builds of one day being alike. Unclear does not mean equal. Revisions and prompt versions are compared as they were used, ' +
  'except where it says that they were assigned at random.'

/** Titles and explanations of the two lists of insights. */
export const LISTS = {
  finding: [
    'Tested differences',
    'Differences that chance alone would rarely produce. The tokens are the most that the worse side cost in this period. ' +
      'Findings may concern the same tokens: do not add them up.',
  ],
  cost: [
    'Where the tokens go',
    'Spending as measured, not compared with anything: the most that could be saved. It may include tokens of the findings.',
  ],
} as const satisfies Record<Insight['kind'], readonly [title: string, what: string]>

/**
 * What an insight costs, as a part of a sentence; undefined if that is unknown. `listed` is the list in which it is
 * shown, numbered from 1.
 */
export function costOf({ tokens, part_of: partOf }: Insight, listed: readonly Insight[]): string | undefined {
  if (tokens === null) return undefined
  const container = partOf === null ? -1 : listed.findIndex(({ id }) => id === partOf)
  const included = container < 0 ? '' : `, which are part of those of number ${container + 1}`
  return `costs up to ${number(tokens)} tokens${included}`
}

type Change = Report['constraint_effectiveness']['changes'][number]

export const changeName = ({ from, to, side_by_side: sideBySide }: Change): string =>
  sideBySide ? `${from} and ${to} (side by side)` : `${from} to ${to}`

export const changesSentence = (audit: Report['context_volatility']): string =>
  `GEMINI.md changed ${counted(audit.changes, 'time')}: a build started under a revision that none of the ${ADOPTION_WINDOW} ` +
  `builds before it had used. It changed ${counted(audit.changes_within_builds, 'time')} within a build.`

/** The three most frequent error types of the first validations under a revision, with their rates. */
export const mostFrequent = (row: Report['constraint_effectiveness']['revisions'][number]): string =>
  row.first_failures
    .slice(0, 3)
    .map(({ error_type: type, rate }) => `${typeName(type)} ${orNone(rate?.value ?? null, percent)}`)
    .join(', ')

/** Stands in place of the two lists where both are empty. */
export const NOTHING_FOUND = 'No finding and no notable cost, or not enough data to compare.'

/** An error type within a sentence. */
export const named = (type: string): string => (type === '' ? 'failures without a type' : type)
