import { EMPTY } from '../../parts/empty.ts'
import { BEFORE, closed, contextShare, ifEnough, withSample } from '../../parts/measures.ts'
import { bars, lines, stat } from '../../parts/panels.ts'
import { BUCKET, type Selection, total, WINDOW } from '../../parts/promql.ts'
import { CONTEXT } from '../../parts/selectors.ts'
import { STEPS } from './selectors.ts'

const PROMPTS = `${CONTEXT},${STEPS}`
const PARTS = 'GEMINI.md, instruction (with its error log), and other (system prompt, tools, history)'
const COUNTED = 'Entries that record the tokens of their prompt and of a part of it.'

export const promptParts = bars({
  title: 'Prompt tokens by part',
  description: `Prompt tokens by part: ${PARTS}. ${COUNTED}`,
  unit: 'short',
  empty: EMPTY.promptParts,
  min: 0,
  queries: [
    {
      expr: total('promptTokens', { by: ['part'], where: PROMPTS, window: BUCKET }),
      legend: '{{part}}',
      interval: '1m',
    },
  ],
})
  .overrideByName('context', [{ id: 'displayName', value: 'GEMINI.md' }])
  .overrideByName('other', [{ id: 'displayName', value: 'other (system prompt, tools, history)' }])

/** Builds have no phase. */
const builds = (selection: Selection): string => closed({ ...selection, where: CONTEXT })

export const contextShareNow = stat({
  title: 'GEMINI.md share of the prompt',
  description: `Tokens of GEMINI.md as a share of the whole prompt: ${PARTS}. ${COUNTED} ${BEFORE}`,
  unit: 'percentunit',
  empty: EMPTY.promptParts,
  decimals: 1,
  queries: withSample(PROMPTS, ifEnough(contextShare, builds), builds, 'closed'),
})

export const contextShareOverTime = lines({
  title: 'GEMINI.md share by phase',
  description: `Tokens of GEMINI.md as a share of the whole prompt, by phase, over the window set above. ${COUNTED}`,
  unit: 'percentunit',
  empty: EMPTY.promptParts,
  min: 0,
  max: 1,
  queries: [{ expr: contextShare({ by: ['phase'], where: PROMPTS, window: WINDOW }), legend: '{{phase}}' }],
})
