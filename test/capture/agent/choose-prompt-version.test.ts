import { describe, expect, it } from 'vitest'
import { choosePromptVersion } from '../../../src/capture/agent/choose-prompt-version.ts'

const runs = Array.from(
  { length: 20_000 },
  (_, n) => `0f8fad5b-d9cb-469f-a165-${String(n).padStart(12, '0')}`,
)

function counts(versions: readonly { version: string; weight?: number }[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const run of runs) {
    const { version } = choosePromptVersion(run, versions)
    found[version] = (found[version] ?? 0) + 1
  }
  return found
}

/** Five standard deviations of a share of all runs: 1 in 1,700,000 by chance. */
const tolerance = (share: number): number => 5 * Math.sqrt(share * (1 - share) * runs.length)

describe('choosePromptVersion', () => {
  it('chooses each version equally often', () => {
    const found = counts([{ version: 'fix-1' }, { version: 'fix-2' }, { version: 'fix-3' }])
    for (const count of Object.values(found)) {
      expect(Math.abs(count - runs.length / 3)).toBeLessThan(tolerance(1 / 3))
    }
    expect(Object.keys(found).toSorted()).toEqual(['fix-1', 'fix-2', 'fix-3'])
  })

  it('follows the weights, and never chooses a weight of 0', () => {
    const found = counts([
      { version: 'a', weight: 8 },
      { version: 'b', weight: 2 },
      { version: 'c', weight: 0 },
    ])
    expect(Math.abs((found['b'] ?? 0) - runs.length / 5)).toBeLessThan(tolerance(1 / 5))
    expect(found).not.toHaveProperty('c')
  })

  it('chooses the same for a run each time, on every machine, in whatever order the versions stand', () => {
    const versions = [{ version: 'fix-1' }, { version: 'fix-2' }]
    for (const run of runs.slice(0, 500)) {
      const chosen = choosePromptVersion(run, versions)
      expect(choosePromptVersion(run, versions)).toEqual(chosen)
      expect(choosePromptVersion(run, versions.toReversed())).toEqual(chosen)
    }
    // A change of the function would change the prompts of builds that are running.
    const first = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(
      (run) => choosePromptVersion(run, versions).version,
    )
    expect(first).toMatchInlineSnapshot(`
      [
        "fix-1",
        "fix-1",
        "fix-1",
        "fix-1",
        "fix-1",
        "fix-1",
        "fix-2",
        "fix-1",
      ]
    `)
  })

  it('draws of different versions are independent of each other', () => {
    const both = runs.filter(
      (run) =>
        choosePromptVersion(run, [{ version: 'implement-1' }, { version: 'implement-2' }]).version ===
          'implement-2' &&
        choosePromptVersion(run, [{ version: 'fix-1' }, { version: 'fix-2' }]).version === 'fix-2',
    )
    expect(Math.abs(both.length - runs.length / 4)).toBeLessThan(tolerance(1 / 4))
  })

  it('returns what was given with the version, and the draw', () => {
    const version = { version: 'fix-2', weight: 3, template: 'Mend it.' }
    expect(choosePromptVersion('a run', [version, { version: 'fix-1', weight: 0, template: '' }])).toEqual({
      ...version,
      assignment: 'fix-1:0 fix-2:3',
    })
  })

  it.each([
    ['no version', 'a run', []],
    ['only weights of 0', 'a run', [{ version: 'a', weight: 0 }]],
    ['a weight that is not a number', 'a run', [{ version: 'a', weight: Number.NaN }]],
    ['a negative weight', 'a run', [{ version: 'a', weight: -1 }, { version: 'b' }]],
    ['a name twice', 'a run', [{ version: 'a' }, { version: 'a', weight: 2 }]],
    ['an empty name', 'a run', [{ version: '' }, { version: 'a' }]],
    ['an empty run id', '', [{ version: 'a' }]],
  ])('refuses %s', (_, run, versions) => {
    expect(() => choosePromptVersion(run, versions)).toThrow(/^cannot choose a prompt version: /)
  })
})
