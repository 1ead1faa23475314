import { wilson } from '../audits/statistics.ts'
import type { ChartData } from '../charts/chart-set.ts'
import { number, typeName } from '../render/format.ts'
import type { AuditsView } from '../serve/status.ts'

/** What the charts of the page draw. */
export const chartData = ({ fixes, promptShare, revisions, implement }: AuditsView): ChartData => ({
  fixCost: fixes.map(({ errorType, fixes: n, tokens }) => ({
    label: typeName(errorType),
    mean: n === 0 ? 0 : tokens / n,
  })),
  promptShare,
  revisions: revisions.map(({ label, firstPass, judged }) => rateOf(label, firstPass, judged)),
  promptVersions: implement.map(({ promptVersion, firstPass, judged }) =>
    rateOf(promptVersion, firstPass, judged),
  ),
  volatility: 'Validations passed and tokens per build, from one revision of GEMINI.md to the next',
  moments: revisions.slice(-12).map(({ label, passed, validations, tokens, builds }) => {
    const rate = wilson(passed, validations)
    return {
      label: label.split(' ')[0] ?? label,
      rate: rate === null ? null : { label, ...rate },
      tokens: builds === 0 ? 0 : tokens / builds,
      changed: false,
    }
  }),
})

/** A first-pass rate with its interval; n is the number of builds with a verdict. */
const rateOf = (name: string, firstPass: number, judged: number) => ({
  label: `${name}, n = ${number(judged)}`,
  rate: wilson(firstPass, judged),
})
