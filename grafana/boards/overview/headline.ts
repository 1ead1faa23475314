import { firingCount } from '../../parts/alerts.ts'
import type { Band } from '../../parts/layout.ts'
import { toAudit } from '../../parts/links.ts'
import {
  BEFORE,
  cost,
  firstPassRate,
  nowAndBefore,
  reworkCostFactor,
  tokensPerSuccess,
} from '../../parts/measures.ts'
import { stat } from '../../parts/panels.ts'
import { count } from '../../parts/promql.ts'

/** Two rows of large numbers, each with its value in the preceding time range. */
export function headline(where: string): Band[] {
  const passRate = stat({
    title: 'First-pass rate',
    description: `Share of the builds with a verdict that passed their first verification. Abandoned builds have no verdict. ${BEFORE}`,
    unit: 'percentunit',
    decimals: 1,
    queries: nowAndBefore(where, firstPassRate),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')])
  const tokens = stat({
    title: 'Tokens per successful build',
    description: `Tokens of all closed builds, failed and abandoned ones included, divided by the number of successful builds. ${BEFORE}`,
    unit: 'short',
    decimals: 1,
    queries: nowAndBefore(where, tokensPerSuccess),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')])
  const factor = stat({
    title: 'Rework cost factor',
    description: `Completion tokens of fixes per character of the error log that they were given. ${BEFORE}`,
    unit: 'none',
    decimals: 2,
    queries: nowAndBefore(where, reworkCostFactor),
  }).links([toAudit('audit-prompt-refinement', 'Prompt Refinement')])
  const builds = stat({
    title: 'Closed builds',
    description: `Builds that closed, with any outcome. ${BEFORE}`,
    unit: 'locale',
    decimals: 0,
    queries: nowAndBefore(where, (selection) => count('builds', selection)),
  })
  const money = stat({
    title: 'Estimated cost',
    description: `All tokens at the prices per million set above. Unsplit tokens count as prompt tokens. ${BEFORE}`,
    unit: 'currencyUSD',
    decimals: 2,
    queries: nowAndBefore(where, cost),
  }).links([toAudit('audit-token-efficiency', 'Token Efficiency')])
  return [
    {
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
        [8, builds],
        [8, money],
        [8, firingCount()],
      ],
    },
  ]
}
