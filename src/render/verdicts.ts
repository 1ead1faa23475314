import { html, type Html } from './html.ts'

export const VERDICT_WORDS = ['better', 'worse', 'unclear', 'not enough data', 'nothing to compare'] as const

/** A verdict of the audits, as page and report show it. */
export interface Verdict {
  readonly audit: string
  readonly verdict: (typeof VERDICT_WORDS)[number]
  readonly sentence: string
}

/** One line for each audit: its name, which leads to its card, the verdict, and the sentence behind it. */
export const verdictList = (verdicts: readonly Verdict[], basis: string): Html =>
  html`<dl class="verdicts">
      ${verdicts.map(
        ({ audit, verdict, sentence }) =>
          html`<div>
            <dt><a href="#${anchorOf(audit)}-title">${audit}</a></dt>
            <dd class="verdict ${CLASSES[verdict]}">${TEXTS[verdict]}</dd>
            <dd>${sentence}</dd>
          </div>`,
      )}
    </dl>
    <p class="soft">${basis}</p>`

/** The id of an audit's card. */
export const anchorOf = (audit: string): string => audit.toLowerCase().replaceAll(' ', '-')

const CLASSES = {
  better: 'good',
  worse: 'fail',
  unclear: '',
  'not enough data': 'soft',
  'nothing to compare': 'soft',
} as const

/** Colour alone says nothing to some. */
const TEXTS = {
  better: '▲ Better',
  worse: '▼ Worse',
  unclear: 'Unclear',
  'not enough data': 'Not enough data',
  'nothing to compare': 'Nothing to compare',
} as const

export const VERDICTS_STYLE = `
.verdicts{margin:0 0 8px}.verdicts+p{font-size:12.5px}.verdicts>div{display:grid;grid-template-columns:12.5em 9.8em minmax(0,1fr);gap:2px 12px;padding:6px 0}
.verdicts>div+div{border-top:1px solid var(--line)}.verdicts dd{overflow-wrap:anywhere}.verdicts dt{font-size:inherit;color:inherit}.verdict{font-weight:600}.good{color:var(--good)}
@container (max-width:640px){.verdicts>div{grid-template-columns:1fr auto}.verdicts dd:last-child{grid-column:1/-1}}
`
