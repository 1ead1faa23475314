import type { Engine } from '../engine.ts'
import type { MetricKey } from '../metrics/catalogue.ts'
import { totalsOf } from '../metrics/totals.ts'
import type { FixPrompt, RecentBuild } from '../recent/recent-build.ts'
import type { AuditsView } from '../serve/status.ts'

/** The four audits from the committed totals. The report answers more, from the files. */
export function liveAudits({
  ledger,
  contexts,
  recent,
}: Pick<Engine, 'ledger' | 'contexts' | 'recent'>): AuditsView {
  const totals = (metric: MetricKey, ...group: string[]) => totalsOf(ledger, metric, ...group)
  const valueOf = (from: ReturnType<typeof totals>, ...labels: string[]): number =>
    from.get(labels.join('\0'))?.value ?? 0

  const inOrder = () => [...contexts.shown()].sort((a, b) => (a.version ?? 0) - (b.version ?? 0))

  function fixes(): AuditsView['fixes'] {
    const tokens = totals('tokens', 'phase', 'error_type')
    return [...totals('entries', 'phase', 'error_type').values()]
      .filter(({ labels }) => labels[0] === 'rework')
      .map(({ labels: [phase = '', errorType = ''], value }) => ({
        errorType,
        fixes: value,
        tokens: valueOf(tokens, phase, errorType),
      }))
      .sort((a, b) => b.tokens - a.tokens)
  }

  function promptShare(): AuditsView['promptShare'] {
    const parts = totals('promptTokens', 'phase', 'part')
    const phases = new Set([...parts.values()].map(({ labels }) => labels[0] ?? ''))
    return [...phases].map((phase) => ({
      phase,
      context: valueOf(parts, phase, 'context'),
      instruction: valueOf(parts, phase, 'instruction'),
      other: valueOf(parts, phase, 'other'),
    }))
  }

  function revisions(): AuditsView['revisions'] {
    const builds = totals('builds', 'context_hash', 'outcome')
    const tokens = totals('buildTokens', 'context_hash')
    const entries = totals('entries', 'context_hash', 'status')
    return inOrder().map(({ hash, version }) => {
      const of = (outcome: string): number => valueOf(builds, hash, outcome)
      const successes = of('first_pass') + of('after_rework')
      const passed = valueOf(entries, hash, 'pass')
      return {
        label: `v${version} ${hash}`,
        builds: successes + of('failed') + of('abandoned'),
        judged: successes + of('failed'),
        firstPass: of('first_pass'),
        successes,
        tokens: valueOf(tokens, hash),
        validations: passed + valueOf(entries, hash, 'fail'),
        passed,
      }
    })
  }

  function implement(): AuditsView['implement'] {
    const builds = totals('instructionBuilds', 'phase', 'instruction_version', 'outcome')
    const tokens = totals('instructionTokens', 'phase', 'instruction_version', 'type')
    const promptVersions = new Set(
      [...builds.values()]
        .filter(({ labels }) => labels[0] === 'implement')
        .map(({ labels }) => labels[1] ?? ''),
    )
    const all = [...promptVersions].map((promptVersion) => {
      const of = (outcome: string): number => valueOf(builds, 'implement', promptVersion, outcome)
      return {
        promptVersion,
        builds: of('first_pass') + of('after_rework') + of('failed') + of('abandoned'),
        judged: of('first_pass') + of('after_rework') + of('failed'),
        firstPass: of('first_pass'),
        completionTokens: valueOf(tokens, 'implement', promptVersion, 'completion'),
      }
    })
    return all.sort((a, b) => b.builds - a.builds)
  }

  function errorsByRevision(): AuditsView['errorsByRevision'] {
    const failures = totals('entries', 'status', 'error_type', 'context_hash')
    const types = [...totals('entries', 'status', 'error_type').values()]
      .filter(({ labels }) => labels[0] === 'fail')
      .sort((a, b) => b.value - a.value)
    const hashes = inOrder().map(({ hash }) => hash)
    return types.map(({ labels: [, errorType = ''] }) => ({
      errorType,
      failures: hashes.map((hash) => valueOf(failures, 'fail', errorType, hash)),
    }))
  }

  return {
    fixes: fixes(),
    promptShare: promptShare(),
    revisions: revisions(),
    implement: implement(),
    fixPrompts: fixPromptsOf(recent.list()),
    errorsByRevision: errorsByRevision(),
  }
}

/** The fixes of all these builds by prompt version, the most used first. */
function fixPromptsOf(builds: readonly RecentBuild[]): FixPrompt[] {
  const byVersion = Map.groupBy(
    builds.flatMap(({ fixPrompts }) => fixPrompts),
    ({ version }) => version,
  )
  return [...byVersion]
    .map(([version, prompts]) => ({
      version,
      fixes: sum(prompts, 'fixes'),
      tokens: sum(prompts, 'tokens'),
      completionTokens: sum(prompts, 'completionTokens'),
      errorLogChars: sum(prompts, 'errorLogChars'),
    }))
    .sort((a, b) => b.fixes - a.fixes)
}

const sum = (prompts: readonly FixPrompt[], key: Exclude<keyof FixPrompt, 'version'>): number =>
  prompts.reduce((all, prompt) => all + prompt[key], 0)
