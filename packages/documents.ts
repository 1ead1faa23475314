import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const DOCS = path.join(import.meta.dirname, '../docs')

/** A link or a picture with a relative target. */
const LINK = /!?\[((?:[^[\]]|\[[^\]]*\])*)\]\((?!https?:|#)([^)\s]+)\)/gu

/**
 * Copies documents, the JSON Schemas and the writers in other languages into a package, so that its README has something
 * to lead to; with all documents, also the audits as SQL. A link to what the package does not contain (sources, decisions, pictures) becomes its text.
 */
export function copyDocuments(names: readonly string[] | 'all', directory: string): void {
  const all = readdirSync(DOCS).filter((name) => name.endsWith('.md'))
  const schemas = readdirSync(DOCS).filter((name) => name.endsWith('.schema.json'))
  const chosen = names === 'all' ? all : names
  mkdirSync(directory, { recursive: true })
  for (const name of schemas) cpSync(path.join(DOCS, name), path.join(directory, name))
  cpSync(path.join(DOCS, 'writers'), path.join(directory, 'writers'), { recursive: true })
  if (names === 'all') cpSync(path.join(DOCS, 'sql'), path.join(directory, 'sql'), { recursive: true })
  const isThere = (target: string): boolean => {
    const [file = ''] = target.split('#')
    if (file.startsWith('sql/')) return names === 'all'
    return file.startsWith('writers/') || [...chosen, ...schemas].includes(file)
  }
  for (const name of chosen) {
    const text = readFileSync(path.join(DOCS, name), 'utf8')
    const linked = text.replaceAll(LINK, (link: string, label: string, target: string) =>
      isThere(target) ? link : label,
    )
    writeFileSync(path.join(directory, name), linked)
  }
}
