import type { Band } from '../../parts/layout.ts'
import {
  BEFORE,
  closed,
  cost,
  ifEnough,
  orZero,
  rangeAndBefore,
  succeeded,
  tokensPerSuccess,
  withSample,
} from '../../parts/measures.ts'
import { stat } from '../../parts/panels.ts'
import { ratioIfEnough, share, total } from '../../parts/promql.ts'
import { contextShareNow } from './prompt.ts'
import { CONTEXT } from '../../parts/selectors.ts'
import { BUILDS, FIXES } from './selectors.ts'

const perSuccess = stat({
  title: 'Tokens per successful build',
  description: `Tokens of all closed builds, failed and abandoned ones included, divided by the number of successful builds. ${BEFORE}`,
  unit: 'short',
  decimals: 1,
  queries: withSample(BUILDS, tokensPerSuccess, succeeded, 'successful'),
})

const costPerSuccess = stat({
  title: 'Estimated cost per successful build',
  description: `All tokens at the prices set above, divided by the number of successful builds. ${BEFORE}`,
  unit: 'currencyUSD',
  decimals: 3,
  queries: withSample(
    CONTEXT,
    (selection) => ratioIfEnough(cost(selection), succeeded(selection)),
    succeeded,
    'successful',
  ),
})

const builds = stat({
  title: 'Successful builds',
  description: `Builds that passed a verification, at first or after rework. ${BEFORE}`,
  unit: 'locale',
  decimals: 0,
  queries: rangeAndBefore(BUILDS, (selection) => orZero(succeeded(selection))),
})

const reworkShare = stat({
  title: 'Share of tokens in rework',
  description: `Tokens of fixes as a share of all tokens. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: withSample(
    CONTEXT,
    ifEnough(
      (selection) => share(total('tokens', { ...selection, where: FIXES }), total('tokens', selection)),
      closed,
    ),
    closed,
    'closed',
  ),
})

const failedShare = stat({
  title: 'Share of tokens in failed builds',
  description: `Tokens of failed and abandoned builds as a share of the tokens of all closed builds. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: withSample(
    BUILDS,
    ifEnough(
      (selection) =>
        share(
          total('buildTokens', { ...selection, where: `${BUILDS},outcome=~"failed|abandoned"` }),
          total('buildTokens', selection),
        ),
      closed,
    ),
    closed,
    'closed',
  ),
})

export const summary: Band = {
  height: 3,
  panels: [
    [8, perSuccess],
    [8, costPerSuccess],
    [8, builds],
  ],
}

export const shares: Band = {
  height: 3,
  panels: [
    [8, reworkShare],
    [8, failedShare],
    [8, contextShareNow],
  ],
}
