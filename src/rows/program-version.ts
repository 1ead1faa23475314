import fs from 'node:fs'
import path from 'node:path'

/** Tells this program from every other version of it: the sizes and times of its files. */
export function versionOf(): readonly unknown[] {
  const isBundle = path.extname(import.meta.filename) === '.js'
  const root = isBundle ? import.meta.dirname : path.join(import.meta.dirname, '..')
  return fs
    .readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(path.extname(import.meta.filename)))
    .map(({ parentPath, name }) => {
      const file = path.join(parentPath, name)
      const { size, mtimeMs } = fs.statSync(file)
      return [path.relative(root, file), size, mtimeMs] as const
    })
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
}
