import { DEFAULT_OPTIONS } from '../prometheus/options.ts'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { constraintEffectiveness } from './boards/constraint-effectiveness.ts'
import { contextVolatility } from './boards/context-volatility.ts'
import { exporter } from './boards/exporter.ts'
import { overview } from './boards/overview.ts'
import { promptRefinement } from './boards/prompt-refinement.ts'
import { tokenEfficiency } from './boards/token-efficiency.ts'

/** All dashboards, each in a file named after its uid. `runbook`: the address of docs/runbook.md, for links. */
export const dashboards = (runbook = DEFAULT_OPTIONS.runbook): readonly Dashboard[] => [
  overview(runbook),
  tokenEfficiency(),
  constraintEffectiveness(),
  promptRefinement(),
  contextVolatility(),
  exporter(),
]

/** The text of the committed file. The same source always gives the same bytes. */
export const fileText = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`
