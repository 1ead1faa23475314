import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { expensiveSteps } from '../parts/expensive-steps.ts'
import { stepCosts } from '../parts/heatmap.ts'
import { tokensPerSuccessOverTime } from '../parts/tokens-per-success.ts'
import { family, revisions, scope, uncovered } from '../parts/hidden-variables.ts'
import {
  contextHash,
  errorType,
  model,
  movingWindow,
  phase,
  project,
  priceCompletion,
  pricePrompt,
} from '../parts/variables.ts'
import { costByModel, estimatedCost } from './token-efficiency/money.ts'
import { contextShareOverTime, promptParts } from './token-efficiency/prompt.ts'
import { BUILDS, STEPS, TOKENS } from './token-efficiency/selectors.ts'
import { shares, summary } from './token-efficiency/summary.ts'
import { byPhase, byType, fixesByErrorType, fixesOverTime } from './token-efficiency/usage.ts'

export const tokenEfficiency = (): Dashboard =>
  board({
    uid: 'audit-token-efficiency',
    title: 'Audit · Token Efficiency',
    description:
      'Tokens and money per successful build, and the steps and errors that account for most of them.',
    variables: [
      contextHash(),
      errorType(),
      phase(),
      project(),
      model(),
      movingWindow(),
      pricePrompt(),
      priceCompletion(),
      uncovered(),
      revisions(),
      family(),
      scope('$error'),
    ],
    bands: [
      summary,
      shares,
      {
        height: 8,
        panels: [
          [12, tokensPerSuccessOverTime(BUILDS)],
          [12, fixesOverTime],
        ],
      },
      {
        height: 9,
        panels: [
          [12, fixesByErrorType],
          [12, expensiveSteps(TOKENS)],
        ],
      },
      {
        height: 8,
        panels: [
          [12, byPhase],
          [12, byType],
        ],
      },
      {
        height: 8,
        panels: [
          [8, promptParts],
          [8, contextShareOverTime],
          [8, stepCosts(STEPS)],
        ],
      },
      {
        height: 8,
        panels: [
          [9, estimatedCost],
          [15, costByModel],
        ],
      },
    ],
  })
