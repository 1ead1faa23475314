import { EMPTY } from '../../parts/empty.ts'
import { runs, samplesOf } from '../../parts/measures.ts'
import { type Formula, unlessFew } from '../../parts/formulas.ts'
import { errorTypeColumn } from '../../parts/label-columns.ts'
import { WITHHELD_LOOK } from '../../parts/looks.ts'
import { bars, lines } from '../../parts/panels.ts'
import { BUCKET, ratioIfEnough, total, WINDOW } from '../../parts/promql.ts'
import { table } from '../../parts/tables.ts'
import { named } from '../../parts/named.ts'
import { ERRORS, FIXES, TOKENS } from './selectors.ts'

export const byPhase = bars({
  title: 'Tokens by phase',
  description: 'Prompt and completion tokens by phase.',
  unit: 'short',
  min: 0,
  queries: [
    {
      expr: total('tokens', { by: ['phase'], where: TOKENS, window: BUCKET }),
      legend: '{{phase}}',
      interval: '1m',
    },
  ],
})

export const byType = bars({
  title: 'Tokens by type',
  description: 'Prompt tokens and completion tokens. “unsplit”: entries that record only the total.',
  unit: 'short',
  min: 0,
  queries: [
    {
      expr: `${total('tokens', { by: ['type'], where: TOKENS, window: BUCKET })} > 0`,
      legend: '{{type}}',
      interval: '1m',
    },
  ],
})

export const fixesOverTime = lines({
  title: 'Tokens per fix attempt over time',
  empty: EMPTY.fixes,
  description:
    'Average prompt and completion tokens per fix, over the window set above. Rising completion tokens: fixes became longer. No point where n, the fixes, is below 20.',
  unit: 'short',
  min: 0,
  queries: [
    ...(['completion', 'prompt'] as const).map((type) => ({
      expr: ratioIfEnough(
        total('tokens', { where: `${FIXES},type="${type}"`, window: WINDOW }),
        runs('rework', { where: ERRORS, window: WINDOW }),
      ),
      legend: type,
    })),
    { expr: runs('rework', { where: ERRORS, window: WINDOW }), legend: samplesOf('fixes') },
  ],
})

const fixes = runs('rework', { by: ['error_type'], where: named('error_type', ERRORS) })
const perFix: Formula = ['Tokens of fixes', '/', 'Fixes']

export const fixesByErrorType = table({
  title: 'Tokens per fix attempt by error type',
  empty: EMPTY.fixes,
  description:
    'Average tokens (prompt and completion) per fix, by the error type that it answers; n < 20: of fewer than 20 fixes. The error type whose fixes took the most tokens first.',
  labels: [errorTypeColumn(200)],
  columns: [
    { name: 'Fixes', expr: fixes, unit: 'locale', decimals: 0, width: 58 },
    {
      name: 'Tokens per fix attempt',
      formula: unlessFew(perFix, 'Fixes'),
      unit: 'short',
      decimals: 1,
      width: 95,
      look: WITHHELD_LOOK,
    },
    {
      name: 'Tokens of fixes',
      expr: `${total('tokens', { by: ['error_type'], where: named('error_type', FIXES) })} or ${fixes} * 0`,
      unit: 'short',
      decimals: 1,
      width: 82,
    },
  ],
  sortBy: ['-Tokens of fixes', 'Error type'],
})
