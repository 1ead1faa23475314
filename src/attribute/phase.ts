import { MAX_NAME_LENGTH } from '../short-name.ts'

export const PHASES = ['scaffold', 'implement', 'rework', 'verify', 'other'] as const
export type Phase = (typeof PHASES)[number]

/** Assigns a step to a phase: the first rule whose pattern matches its name wins. */
export interface PhaseRule {
  readonly pattern: RegExp
  readonly phase: Phase
}

export const DEFAULT_PHASE_RULES: readonly PhaseRule[] = [
  { pattern: /^scaffold/i, phase: 'scaffold' },
  { pattern: /^implement/i, phase: 'implement' },
  { pattern: /^(fix|repair)/i, phase: 'rework' },
  { pattern: /verif|valid|compliance|check/i, phase: 'verify' },
]

/** Step names repeat, so results are cached. The cache is bounded in number and length, because names may be hostile. */
const MEMORY = 10_000

/** Returns a function that maps a step name to its phase by the given rules. */
export function createPhaseOf(rules: readonly PhaseRule[] = DEFAULT_PHASE_RULES): (step: string) => Phase {
  const known = new Map<string, Phase>()
  return (step) => {
    const found = known.get(step)
    if (found !== undefined) return found
    const phase = rules.find((rule) => rule.pattern.test(step))?.phase ?? 'other'
    if (step.length > MAX_NAME_LENGTH) return phase
    if (known.size >= MEMORY) known.clear()
    known.set(step, phase)
    return phase
  }
}
