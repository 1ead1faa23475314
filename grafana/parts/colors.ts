/** In the legend, in place of all values that are not drawn on their own. */
export const OTHER = 'other'

/**
 * One colour for one meaning on all dashboards (decisions/150). Good is blue and bad is red: people who cannot tell red
 * from green can tell these. Where a colour judges, a word, an arrow or a sign says the same.
 */
export const COLORS = {
  good: 'blue',
  between: 'yellow',
  warning: 'orange',
  bad: 'red',
  /** Amounts that are neither good nor bad, such as tokens. */
  amount: '#8F9BB3',
  /** Plain text: no judgement, or too little data for one. */
  neutral: 'text',
  /** Changes of GEMINI.md. */
  revision: 'purple',
} as const

/** Values of labels that have a colour of their own wherever they are drawn. */
export const LABEL_COLORS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  outcome: {
    'first pass': COLORS.good,
    'after rework': COLORS.between,
    failed: COLORS.bad,
    abandoned: COLORS.amount,
  },
  phase: { scaffold: '#6E7B91', implement: '#A78BFA', verify: '#4FC3C7', rework: COLORS.warning },
  type: { prompt: '#B7C3D9', completion: '#C792B8', unsplit: '#5C6474' },
  result: { counted: COLORS.amount, rejected: COLORS.bad, skipped: COLORS.warning },
  state: { hot: COLORS.good, cold: COLORS.amount, failing: COLORS.bad },
  part: { context: COLORS.revision, instruction: '#D9A97C', other: COLORS.amount },
}

/** Series without such a label, by the name in the legend. */
export const SERIES_COLORS: Readonly<Record<string, string>> = {
  'first-pass rate': COLORS.good,
  [OTHER]: COLORS.amount,
  'revisions per week': COLORS.revision,
  prompt: LABEL_COLORS['type']!['prompt']!,
  completion: LABEL_COLORS['type']!['completion']!,
}
