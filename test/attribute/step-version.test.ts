import { expect, test } from 'vitest'
import { versionInStepName } from '../../src/attribute/step-version.ts'
import type { Phase } from '../../src/attribute/phase.ts'

test.each<[string, Phase, string | undefined]>([
  ['implement_v2', 'implement', 'v2 (step name)'],
  ['implement-V10', 'implement', 'v10 (step name)'],
  ['implement_v2.1', 'implement', 'v2.1 (step name)'],
  ['implement_v2_attempt_3', 'implement', 'v2 (step name)'],
  ['fix_v3', 'rework', 'v3 (step name)'],
  ['fix_attempt_2', 'rework', undefined],
  ['scaffold', 'scaffold', undefined],
  ['implement2', 'implement', undefined],
  ['implement_version', 'implement', undefined],
  ['implement_vector_v', 'implement', undefined],
  ['v2', 'other', undefined],
  ['implement_v2beta', 'implement', undefined],
  // A verification runs tools: the number is not that of a prompt.
  ['verify_v2', 'verify', undefined],
])('%s of phase %s has the prompt version %s', (step, phase, version) => {
  expect(versionInStepName(step, phase)).toBe(version)
})

test('a name says the same each time, to every phase but verification', () => {
  for (const _ of [1, 2]) {
    expect(versionInStepName('implement_v7', 'implement')).toBe('v7 (step name)')
    expect(versionInStepName('implement_v7', 'verify')).toBeUndefined()
    expect(versionInStepName('implement_7', 'implement')).toBeUndefined()
    expect(versionInStepName(`${'x'.repeat(70)}_v7`, 'implement')).toBeUndefined()
  }
})
