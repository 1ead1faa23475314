import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { assets } from '../assets/assets.ts'
import { requireWritableDirectory, requireWritableFile } from '../config/writable.ts'
import { counted } from '../render/format.ts'
import type { assetsDeclaration } from './assets-flags.ts'
import type { OptionsOf } from './command.ts'

export interface AssetsDeps {
  readonly print: (line: string) => void
  readonly complain: (line: string) => void
}

/** Writes all assets and prints their paths. Throws an error that names --out if a file cannot be written. */
export function writeAssets(
  { out, prometheusSelector, expectedTargets, runbookUrl }: OptionsOf<typeof assetsDeclaration>,
  { print, complain }: AssetsDeps,
): void {
  const files = assets({ selector: prometheusSelector, expected: expectedTargets, runbook: runbookUrl })
  for (const [name, text] of files) {
    const file = path.join(out, name)
    requireWritableDirectory('--out', path.dirname(file))
    requireWritableFile('--out', file)
    writeFileSync(file, text)
    print(path.relative('.', file))
  }
  complain(`${counted(files.size, 'file')} below ${out}.`)
}
