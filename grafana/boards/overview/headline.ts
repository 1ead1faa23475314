import type { Band } from '../../parts/layout.ts'
import { toAudit } from '../../parts/links.ts'
import {
  BEFORE,
  cost,
  firstPassRate,
  judged,
  orZero,
  rangeAndBefore,
  reworkCostFactor,
  runs,
  succeeded,
  tokensPerSuccess,
  withSample,
} from '../../parts/measures.ts'
import { stat } from '../../parts/panels.ts'
import { count } from '../../parts/promql.ts'

/**
 * Two rows of large numbers about the selected time range, each with its value in the preceding one. `ofBuilds` selects
 * series of builds, `where` all others.
 */
export function headline(where: string, ofBuilds: string): Band[] {
  const passRate = stat({
    title: 'First-pass rate',
    description: `Share of the judged builds that passed their first verification. Judged: with a verdict, which abandoned builds do not have. ${BEFORE}`,
    unit: 'percentunit',
    decimals: 1,
    queries: withSample(ofBuilds, firstPassRate, judged, 'judged'),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')])
  const tokens = stat({
    title: 'Tokens per successful build',
    description: `Tokens of all closed builds, failed and abandoned ones included, divided by the number of successful builds. ${BEFORE}`,
    unit: 'short',
    decimals: 1,
    queries: withSample(ofBuilds, tokensPerSuccess, succeeded, 'successful'),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')])
  const factor = stat({
    title: 'Rework cost factor',
    description: `Completion tokens of fixes per character of the error log that they were given. ${BEFORE}`,
    unit: 'none',
    decimals: 2,
    queries: withSample(where, reworkCostFactor, (selection) => runs('rework', selection), 'fixes'),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')])
  const builds = stat({
    title: 'Closed builds',
    description: `Builds that closed, with any outcome. ${BEFORE}`,
    unit: 'locale',
    decimals: 0,
    queries: rangeAndBefore(ofBuilds, (selection) => orZero(count('builds', selection))),
  })
  const money = stat({
    title: 'Estimated cost',
    description: `All tokens at the prices per million set above. Unsplit tokens count as prompt tokens. ${BEFORE}`,
    unit: 'currencyUSD',
    decimals: 2,
    queries: rangeAndBefore(where, (selection) => orZero(cost(selection))),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')])
  return [
    {
      heading: 'Selected time range',
      height: 3,
      panels: [
        [8, passRate],
        [8, tokens],
        [8, factor],
      ],
    },
    {
      height: 3,
      panels: [
        [12, builds],
        [12, money],
      ],
    },
  ]
}
