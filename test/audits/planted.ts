import {
  CONTEXT_REVISIONS,
  DEFAULT_PROFILE,
  withFirstPassRate,
  type ContextRevision,
  type InstructionVersion,
} from '../../src/simulate/profile.ts'

/** Inputs of the simulator with a known difference, or with none. */

/** Two revisions of GEMINI.md under which builds fare alike, but for their hashes. */
export function revisions(
  change: (second: ContextRevision) => ContextRevision = (same) => same,
): ContextRevision[] {
  const [first, other] = CONTEXT_REVISIONS
  if (first === undefined || other === undefined) throw new Error('two revisions are needed')
  const plain = withFirstPassRate(first, 0.6)
  return [plain, change({ ...plain, hash: other.hash })]
}

export const promptVersion = (name: string, over: Partial<InstructionVersion> = {}): InstructionVersion => ({
  name,
  tokens: 100,
  weight: 1,
  completionScale: 1,
  failureScale: 1,
  ...over,
})

export const profile = (implement: InstructionVersion[], fix: InstructionVersion[]) => ({
  ...DEFAULT_PROFILE,
  instructions: { scaffold: [promptVersion('scaffold')], implement, fix },
})

export const NO_DIFFERENCE = profile(
  [promptVersion('a'), promptVersion('b')],
  [promptVersion('x'), promptVersion('y')],
)
