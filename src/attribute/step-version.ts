import { MAX_NAME_LENGTH, shortName } from '../short-name.ts'
import type { Phase } from './phase.ts'

/** `v2` in `implement_v2` and `implement_v2_attempt_3`; nothing in `fix_attempt_2`, whose number is an attempt. */
const VERSION = /[_-](v\d+(?:\.\d+)*)(?=$|[_-])/i

/** Step names repeat. Bounded in number and length, because names may be hostile; `null` for a name without a version. */
const known = new Map<string, string | null>()
const MEMORY = 1_000

/**
 * The prompt version that the name of a step gives, as `v2 (step name)`: the addition keeps it apart from an
 * `instruction_version` with the same name, which may be another prompt. `undefined` if the name gives none, and for
 * verification, which has no prompt.
 */
export function versionInStepName(step: string, phase: Phase): string | undefined {
  if (phase === 'verify') return undefined
  if (step.length > MAX_NAME_LENGTH) return versionIn(step)
  const found = known.get(step)
  if (found !== undefined) return found ?? undefined
  const version = versionIn(step)
  if (known.size >= MEMORY) known.clear()
  known.set(step, version ?? null)
  return version
}

function versionIn(step: string): string | undefined {
  const version = VERSION.exec(shortName(step))?.[1]
  return version === undefined ? undefined : `${version.toLowerCase()} (step name)`
}
