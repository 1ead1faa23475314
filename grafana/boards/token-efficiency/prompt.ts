import { BEFORE, nowAndBefore } from '../../parts/measures.ts'
import { lines, stat } from '../../parts/panels.ts'
import { share, total, WINDOW } from '../../parts/promql.ts'
import { CONTEXT, STEPS } from './selectors.ts'

const PROMPTS = `${CONTEXT},${STEPS}`
const GEMINI_MD = `${PROMPTS},part="context"`

export const contextShare = stat({
  title: 'GEMINI.md share of the prompt',
  description: `Tokens of GEMINI.md as a share of the prompt tokens, for entries that record both. ${BEFORE}`,
  unit: 'percentunit',
  decimals: 1,
  queries: nowAndBefore(PROMPTS, (selection) =>
    share(total('promptTokens', { ...selection, where: GEMINI_MD }), total('promptTokens', selection)),
  ),
})

export const promptShare = lines({
  title: 'GEMINI.md share of the prompt by phase',
  description:
    'Tokens of GEMINI.md as a share of the prompt tokens of each phase, over the window set above. The rest is the instruction with its error log.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    {
      expr: share(
        total('promptTokens', { by: ['phase'], where: GEMINI_MD, window: WINDOW }),
        total('promptTokens', { by: ['phase'], where: PROMPTS, window: WINDOW }),
      ),
      legend: '{{phase}}',
    },
  ],
})
