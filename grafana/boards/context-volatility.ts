import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { board } from '../parts/board.ts'
import { family, newest, revisions, uncovered } from '../parts/hidden-variables.ts'
import { contextHash } from '../parts/variables.ts'
import { errorMix, MOST } from './context-volatility/errors.ts'
import { costs, passRates } from './context-volatility/revisions.ts'
import { buildsByRevision, churn } from './context-volatility/timeline.ts'

export const contextVolatility = (): Dashboard =>
  board({
    uid: 'audit-context-volatility',
    title: 'Audit · Context Volatility',
    description: 'Changes of GEMINI.md over time, and how builds fared under each revision.',
    variables: [contextHash(), uncovered(), revisions(), family(), newest(MOST, 'enough')],
    from: 'now-30d',
    bands: [
      { height: 8, panels: [[24, passRates]] },
      { height: 8, panels: [[24, costs]] },
      { height: 9, panels: [[24, errorMix]] },
      {
        height: 8,
        panels: [
          [12, buildsByRevision],
          [12, churn],
        ],
      },
    ],
  })
