import { EMPTY } from '../../parts/empty.ts'
import { bound, type Formula, shareUnlessFew, unlessFew, verdict } from '../../parts/formulas.ts'
import { revisionColumns, timeColumns } from '../../parts/label-columns.ts'
import { verdictLook, WITHHELD_LOOK, withheldLook } from '../../parts/looks.ts'
import { closed, judged, passedFirst, runs, succeeded } from '../../parts/measures.ts'
import {
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
import { EACH_CONTEXT } from '../../parts/selectors.ts'
import { BY, selected } from './selectors.ts'

const builds = judged(BY)
const passed = `(${passedFirst(BY)} or ${builds} * 0)`
const closedBuilds = closed(BY)
const tokensPerSuccess = ratio(total('buildTokens', BY), succeeded(BY))
const fixesPerBuild = share(runs('rework', BY), closedBuilds)

/** The number of selected revisions with enough builds on both sides: how many verdicts the table can give. */
const comparisons = countOf(
  ofRevisions(`(${enough(builds)}) and (${enough(ofPrevious(builds))})`, EACH_CONTEXT),
)

const BEFORE =
  '“Before” is the part of the previous revision that is in this time range; comparisons need at least 20 builds on both sides. Judged: with a verdict, which abandoned builds do not have.'

const percent = (name: string, formula: Formula): Column => ({
  name,
  formula,
  unit: 'percentunit',
  decimals: 1,
  width: 66,
})

const [firstUsed, newestUntil] = timeColumns(selected)

export const passRates = table({
  title: 'First-pass rate by revision',
  description: `First-pass rate of the judged builds under each revision of GEMINI.md, the newest first; ≥ and ≤ are the bounds of the 95 % interval (Wilson). The verdict compares with the previous revision. ${BEFORE} ${VERDICT_EXPLAINED}`,
  labels: revisionColumns(160, true),
  columns: [
    firstUsed,
    // For the link only.
    { ...newestUntil, look: [{ id: 'custom.hideFrom', value: { viz: true } }] },
    { name: 'Judged builds', expr: selected(builds), unit: 'locale', decimals: 0, width: 85 },
    {
      name: 'First-pass rate',
      formula: shareUnlessFew('passed', 'Judged builds'),
      unit: 'percentunit',
      decimals: 1,
      width: 95,
      look: WITHHELD_LOOK,
    },
    percent('≥', bound('lower', 'passed', 'Judged builds')),
    percent('≤', bound('upper', 'passed', 'Judged builds')),
    {
      name: 'Judged builds before',
      expr: selected(`${ofPrevious(builds)} or ${builds} * 0`),
      unit: 'locale',
      decimals: 0,
      width: 108,
    },
    {
      ...percent('Rate before', shareUnlessFew('passed before', 'Judged builds before')),
      look: WITHHELD_LOOK,
    },
    {
      name: 'Verdict',
      formula: verdict(
        { part: 'passed', whole: 'Judged builds' },
        { part: 'passed before', whole: 'Judged builds before' },
        'more',
        'comparisons',
      ),
      unit: 'none',
      width: 150,
      look: verdictLook('no revision before'),
    },
  ],
  inputs: [
    { name: 'passed', expr: selected(passed) },
    { name: 'passed before', expr: selected(`${ofPrevious(passed)} or ${builds} * 0`) },
    { name: 'comparisons', expr: selected(`${builds} * 0 + ${comparisons}`) },
  ],
  filters: [{ column: 'Judged builds', above: 0 }],
  empty: EMPTY.revisions,
  sortBy: ['-First used'],
})

/** Of a quotient, whose samples are `n` and `nBefore`. */
const change = (name: string, now: Formula, before: Formula, n: Formula, nBefore: Formula): Column => ({
  name,
  formula: unlessFew([[now, '/', before], '-', 1], n, nBefore),
  unit: 'percentunit',
  decimals: 0,
  width: 100,
  look: withheldLook('none before'),
})

export const costs = table({
  title: 'Tokens and fixes by revision',
  description: `Tokens per successful build (tokens of failed builds included) and rework steps per closed build, with the change from the previous revision; less is better. Changes are not tested for chance, so they have no verdict. ${BEFORE}`,
  labels: revisionColumns(165),
  columns: [
    {
      name: 'Successful builds',
      expr: selected(`${succeeded(BY)} or ${closedBuilds} * 0`),
      unit: 'locale',
      decimals: 0,
      width: 105,
    },
    {
      name: 'Tokens per successful build',
      formula: shareUnlessFew('tokens', 'Successful builds'),
      unit: 'short',
      decimals: 1,
      width: 125,
      look: WITHHELD_LOOK,
    },
    change(
      'Change of tokens',
      'tokens per success',
      'tokens per success before',
      'Successful builds',
      'successful before',
    ),
    { name: 'Closed builds', expr: selected(closedBuilds), unit: 'locale', decimals: 0, width: 85 },
    {
      name: 'Fixes per closed build',
      formula: shareUnlessFew('fixes', 'Closed builds'),
      unit: 'none',
      decimals: 2,
      width: 105,
      look: WITHHELD_LOOK,
    },
    change('Change of fixes', 'fixes per build', 'fixes per build before', 'Closed builds', 'closed before'),
  ],
  inputs: [
    { name: 'tokens', expr: selected(`${total('buildTokens', BY)} or ${closedBuilds} * 0`) },
    { name: 'tokens per success', expr: selected(tokensPerSuccess) },
    { name: 'fixes', expr: selected(`${runs('rework', BY)} and ${closedBuilds} or ${closedBuilds} * 0`) },
    { name: 'fixes per build', expr: selected(fixesPerBuild) },
    { name: 'closed before', expr: selected(`${ofPrevious(closedBuilds)} or ${closedBuilds} * 0`) },
    { name: 'successful before', expr: selected(`${ofPrevious(succeeded(BY))} or ${closedBuilds} * 0`) },
    { name: 'tokens per success before', expr: selected(ofPrevious(tokensPerSuccess)) },
    { name: 'fixes per build before', expr: selected(ofPrevious(fixesPerBuild)) },
    { name: 'first used', expr: withRevision(`${FIRST_SEEN} and on (context_hash) (${closedBuilds})`) },
  ],
  filters: [{ column: 'Closed builds', above: 0 }],
  empty: EMPTY.revisions,
  sortBy: ['-first used'],
})
