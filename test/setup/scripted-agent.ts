import type { ModelRequest, ModelTurn } from './fake-gemini-api.ts'
import { packageFiles } from './package-project.ts'

const write = (file: string, content: string) => ({
  name: 'write_file',
  args: { file_path: file, content },
})

/**
 * What a model answers that scaffolds the package of `package-project.ts`, implements `src/sum.js` with the first of
 * the given sources, and at each request to fix writes the next.
 */
export function scriptedAgent(sources: readonly string[]): (request: ModelRequest) => ModelTurn {
  let next = 0
  return ({ prompt, toolResponses }) => {
    if (toolResponses > 0) return { text: 'Done.' }
    if (prompt.startsWith('Create the scaffold')) {
      // package.json comes with the template: the CLI does not let an agent write it unattended.
      const files = Object.entries(packageFiles).filter(
        ([name]) => !/^src\/sum\.js$|^package\.json$/.test(name),
      )
      return { calls: files.map(([name, content]) => write(name, content)) }
    }
    const source = sources[Math.min(next++, sources.length - 1)] ?? ''
    return { calls: [write('src/sum.js', source)] }
  }
}
