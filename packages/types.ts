import path from 'node:path'
import { rolldown } from 'rolldown'
import { dts } from 'rolldown-plugin-dts'

/** The types of each entry point, as the compiler writes them: tsconfig.build.json. */
const DECLARATIONS: Readonly<Record<string, string>> = {
  capture: 'exports/capture.d.ts',
  'capture-temporal': 'exports/capture-temporal.d.ts',
  exporter: 'exports/exporter.d.ts',
  prompts: 'exports/prompts.d.ts',
  temporal: 'exports/temporal.d.ts',
  workflows: 'capture/temporal/workflows.d.ts',
}

/**
 * The types of an entry point as one text: what it exports and what that is made of, and nothing of the packages that
 * are bundled. Throws if they are made of types of such a package.
 */
export async function bundledTypes(declarations: string, entry: string): Promise<string> {
  const bundle = await rolldown({
    input: path.join(declarations, DECLARATIONS[entry]!),
    external: [/^node:/u, /^@temporalio\//u],
    plugins: [dts({ dtsInput: true, emitDtsOnly: true, oxc: true, tsconfig: false })],
    onLog(level, { message }) {
      if (level === 'warn') throw new Error(message)
    },
  })
  try {
    const { output } = await bundle.generate()
    if (output.length !== 1) throw new Error(`${entry}: the types are more than one file`)
    return output[0].code
  } finally {
    await bundle.close()
  }
}
