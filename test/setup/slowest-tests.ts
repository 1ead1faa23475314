import path from 'node:path'
import type { TestModule, TestProject } from 'vitest/node'

const MOST = 10

/** Prints the slowest files and tests once all tests have ended, with any reporter. */
export default function setup(project: TestProject): () => void {
  return () => {
    process.stderr.write(slowest(project.vitest.state.getTestModules(), project.config.root))
  }
}

interface Timed {
  readonly name: string
  readonly ms: number
}

/** The slowest files (imports and hooks included) and tests, each by name with its duration. */
function slowest(modules: readonly TestModule[], root: string): string {
  const fileOf = (module: TestModule): string => path.relative(root, module.moduleId)
  const files = modules.map((module) => {
    const { collectDuration, duration } = module.diagnostic()
    return { name: fileOf(module), ms: collectDuration + duration }
  })
  const tests = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => ({
      name: `${fileOf(module)} > ${test.fullName}`,
      ms: test.diagnostic()?.duration ?? 0,
    })),
  )
  return `\n${listed('files', files)}\n${listed('tests', tests)}`
}

function listed(what: string, all: readonly Timed[]): string {
  const lines = all
    .toSorted((left, right) => right.ms - left.ms)
    .slice(0, MOST)
    .map(({ name, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}\n`)
  return `Slowest ${what}:\n${lines.join('')}`
}
