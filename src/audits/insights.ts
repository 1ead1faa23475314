import type { Audits } from './audits.ts'
import { costs } from './costs.ts'
import { promptFindings } from './prompt-findings.ts'
import { revisionFindings } from './revision-findings.ts'
import type { Insight } from './schema.ts'

export interface Insights {
  /** Findings, then costs, each ranked by tokens. */
  readonly actions: Insight[]
  /** Findings that need no change now. */
  readonly confirmed: Insight[]
}

/** Derives what to change from the tested differences and from where the tokens go. */
export function findInsights(audits: Audits): Insights {
  const found = [...revisionFindings(audits), ...promptFindings(audits)]
  const findings = (needsAction: boolean): Insight[] =>
    ranked(found.filter(({ act }) => act === needsAction).map(({ insight }) => insight))
  return { actions: [...findings(true), ...ranked(costs(audits))], confirmed: findings(false) }
}

const ranked = (insights: readonly Insight[]): Insight[] =>
  insights.toSorted((a, b) => (b.tokens ?? 0) - (a.tokens ?? 0))
