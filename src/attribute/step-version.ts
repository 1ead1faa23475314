import { shortName } from '../short-name.ts'
import type { Phase } from './phase.ts'

/** `v2` in `implement_v2` and `implement_v2_attempt_3`; nothing in `fix_attempt_2`, whose number is an attempt. */
const VERSION = /[_-](v\d+(?:\.\d+)*)(?=$|[_-])/i

/**
 * The prompt version that the name of a step gives, as `v2 (step name)`: the addition keeps it apart from an
 * `instruction_version` with the same name, which may be another prompt. `undefined` if the name gives none, and for
 * verification, which has no prompt.
 */
export function versionInStepName(step: string, phase: Phase): string | undefined {
  if (phase === 'verify') return undefined
  const version = VERSION.exec(shortName(step))?.[1]
  return version === undefined ? undefined : `${version.toLowerCase()} (step name)`
}
