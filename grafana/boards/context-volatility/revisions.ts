import { EMPTY } from '../../parts/empty.ts'
import { bound, type Formula, shareUnlessFew, unlessFew, verdict } from '../../parts/formulas.ts'
import { revisionColumns } from '../../parts/label-columns.ts'
import { VERDICT_LOOK, WITHHELD_LOOK } from '../../parts/looks.ts'
import { judged, passedFirst, runs, succeeded } from '../../parts/measures.ts'
import {
  count,
  countOf,
  enough,
  FIRST_SEEN,
  ofPrevious,
  ofRevisions,
  ratio,
  share,
  total,
  withRevision,
} from '../../parts/promql.ts'
import { type Column, table } from '../../parts/tables.ts'
import { VERDICT_EXPLAINED } from '../../parts/words.ts'
import { BY, CONTEXT, selected } from './selectors.ts'

const builds = judged(BY)
const passed = `(${passedFirst(BY)} or ${builds} * 0)`
const closed = count('builds', BY)
const tokensPerSuccess = ratio(total('buildTokens', BY), succeeded(BY))
const fixesPerBuild = share(runs('rework', BY), closed)

/** The number of selected revisions with enough builds on both sides: how many verdicts the table can give. */
const comparisons = countOf(ofRevisions(`(${enough(builds)}) and (${enough(ofPrevious(builds))})`, CONTEXT))

const BEFORE =
  '“Before” is the part of the previous revision that is in this time range; comparisons need at least 20 builds on both sides.'

const percent = (name: string, formula: Formula): Column => ({
  name,
  formula,
  unit: 'percentunit',
  decimals: 1,
  width: 80,
})

export const passRates = table({
  title: 'First-pass rate by revision',
  description: `First-pass rate of the builds under each revision of GEMINI.md, the newest first; ≥ and ≤ are the bounds of the 95 % interval (Wilson). The verdict compares with the previous revision. ${BEFORE} ${VERDICT_EXPLAINED}`,
  labels: revisionColumns(165),
  columns: [
    {
      name: 'First used',
      expr: selected(`${FIRST_SEEN} * 1000`),
      unit: 'dateTimeAsIso',
      width: 165,
    },
    { name: 'Builds', expr: selected(builds), unit: 'locale', decimals: 0, width: 75 },
    {
      name: 'First-pass rate',
      formula: shareUnlessFew('passed', 'Builds'),
      unit: 'percentunit',
      decimals: 1,
      width: 125,
      look: WITHHELD_LOOK,
    },
    percent('≥', bound('lower', 'passed', 'Builds')),
    percent('≤', bound('upper', 'passed', 'Builds')),
    {
      name: 'Builds before',
      expr: selected(`${ofPrevious(builds)} or ${builds} * 0`),
      unit: 'locale',
      decimals: 0,
      width: 105,
    },
    { ...percent('Before', shareUnlessFew('passed before', 'Builds before')), look: WITHHELD_LOOK },
    {
      name: 'Verdict',
      formula: verdict(
        { part: 'passed', whole: 'Builds' },
        { part: 'passed before', whole: 'Builds before' },
        'more',
        'comparisons',
      ),
      unit: 'none',
      width: 140,
      look: VERDICT_LOOK,
    },
  ],
  inputs: [
    { name: 'passed', expr: selected(passed) },
    { name: 'passed before', expr: selected(`${ofPrevious(passed)} or ${builds} * 0`) },
    { name: 'comparisons', expr: selected(`${builds} * 0 + ${comparisons}`) },
  ],
  filters: [{ column: 'Builds', above: 0 }],
  empty: EMPTY.revisions,
  sortBy: ['-First used'],
})

const change = (name: string, now: Formula, before: Formula): Column => ({
  name,
  formula: unlessFew([[now, '/', before], '-', 1], 'Builds', 'builds before'),
  unit: 'percentunit',
  decimals: 0,
  width: 135,
  look: WITHHELD_LOOK,
})

export const costs = table({
  title: 'Tokens and fixes by revision',
  description: `Tokens per successful build (tokens of failed builds included) and rework steps per closed build, with the change from the previous revision; less is better. Changes are not tested for chance, so they have no verdict. ${BEFORE}`,
  labels: revisionColumns(165),
  columns: [
    { name: 'Builds', expr: selected(closed), unit: 'locale', decimals: 0, width: 66 },
    { name: 'Tokens / success', expr: selected(tokensPerSuccess), unit: 'short', decimals: 1, width: 134 },
    change('Change of tokens', 'Tokens / success', 'tokens before'),
    { name: 'Fixes / build', expr: selected(fixesPerBuild), unit: 'none', decimals: 2, width: 102 },
    change('Change of fixes', 'Fixes / build', 'fixes before'),
  ],
  inputs: [
    { name: 'builds before', expr: selected(`${ofPrevious(closed)} or ${closed} * 0`) },
    { name: 'tokens before', expr: selected(ofPrevious(tokensPerSuccess)) },
    { name: 'fixes before', expr: selected(ofPrevious(fixesPerBuild)) },
    { name: 'first used', expr: withRevision(`${FIRST_SEEN} and on (context_hash) (${closed})`) },
  ],
  filters: [{ column: 'Builds', above: 0 }],
  empty: EMPTY.revisions,
  sortBy: ['-first used'],
})
