import { readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

/** Paths in the repository. What is generated there, and the sources next to it, are not copied. */
const COPIED = ['deploy/kubernetes', 'deploy/systemd', 'docs/runbook.md']
const SOURCE_CODE = '.ts'
const GENERATED = '# Generated;'

/** The texts of the files that are given out as they are. `directory`: the repository, or what the bundle has of it. */
export function copiedFiles(directory: string): ReadonlyMap<string, string> {
  const files = COPIED.flatMap((name) =>
    statSync(path.join(directory, name)).isDirectory()
      ? readdirSync(path.join(directory, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.name.endsWith(SOURCE_CODE))
          .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
      : [name],
  )
  const texts = files
    .toSorted()
    .map((file) => [file, readFileSync(path.join(directory, file), 'utf8')] as const)
  return new Map(texts.filter(([, text]) => !text.startsWith(GENERATED)))
}
