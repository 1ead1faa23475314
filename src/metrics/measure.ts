import type { AttributedEntry, ClosedBuild } from '../attribute/build.ts'
import { createBundles } from './bundles.ts'
import { createClosing } from './closing.ts'
import type { Contexts } from './contexts.ts'
import { OVERFLOW, type LabelValues } from './labels.ts'
import type { Ledger, Series } from './ledger.ts'
import { createModels } from './measure-model.ts'
import { createPromptVersions } from './measure-prompt-version.ts'
import {
  countDuration,
  countFilesTouched,
  countPromptParts,
  countRework,
  countTokens,
} from './measure-step.ts'
import { createOverflow, type Overflow } from './overflow.ts'

export interface MeasureDeps {
  readonly ledger: Ledger
  readonly labels: LabelValues
  readonly contexts: Contexts
}

export interface Measure {
  /** Counts one attributed entry, and the build that it closed. */
  entry(attributed: AttributedEntry, nowMs: number): void
  /** Counts a build that timed out. */
  closed(build: ClosedBuild, nowMs: number): void
}

/** Turns attributed entries into additions to the ledger. What each metric means: `catalogue.ts`. */
export function createMeasure({ ledger, labels, contexts }: MeasureDeps): Measure {
  const overflow = createOverflow(ledger, labels)
  const bundles = createBundles(ledger, overflow)
  const projects = createProjects(ledger, overflow)
  const countPromptVersion = createPromptVersions(ledger, overflow)
  const countModel = createModels(ledger, overflow)
  const closing = createClosing({ ledger, contexts, overflow })

  return {
    entry(attributed, nowMs) {
      const { entry, late } = attributed
      const project = projects.of(attributed.project)
      const context = contexts.admit(attributed.contextFileHash, project, entry.timestampMs, nowMs)
      const bundle = bundles.of(attributed, context)
      ledger.add(bundle.entries, 1)
      for (const series of bundle.overflowing) ledger.add(series, 1)
      if (context === OVERFLOW) ledger.add(overflow.series('context_hash'), 1)
      countTokens(ledger, bundle, entry)
      countPromptParts(ledger, bundle, entry)
      countRework(ledger, bundle, attributed)
      countPromptVersion(bundle, attributed)
      countModel(bundle, entry, project)
      countFilesTouched(ledger, bundle, entry)
      countDuration(ledger, bundle, attributed)
      if (attributed.closed !== undefined) closing.closed(attributed.closed, nowMs)
      else if (late !== undefined && entry.spentTokens !== undefined) {
        closing.late(late, entry.spentTokens, nowMs)
      }
    },
    closed: (build, nowMs) => closing.closed(build, nowMs),
  }
}

/** The label values of projects. Consecutive entries mostly have the same. */
function createProjects(ledger: Ledger, overflow: Overflow) {
  let raw: string | undefined
  let label = ''
  let overflowing: Series[] = []
  return {
    /** Returns the label value, `''` for none, and counts the entry if its project is beyond the limit. */
    of(project: string | undefined): string {
      if (project !== raw) {
        raw = project
        overflowing = []
        label = overflow.admit('project', project ?? '', overflowing)
      }
      for (const series of overflowing) ledger.add(series, 1)
      return label
    },
  }
}
