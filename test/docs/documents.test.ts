import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')

const markdownIn = (folder: string): string[] =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.join(folder, name))

/** Decision records describe the past: their links must work, but they may name files that have moved since. */
const decisions = markdownIn('decisions')
const documents = [...markdownIn('.'), ...markdownIn('docs'), ...markdownIn('docs/sql')]

/** The first group of each match, with the name of the document: `README.md: src/old.ts`. */
const findAll = (
  files: readonly string[],
  pattern: RegExp,
  isBroken: (found: string, file: string) => boolean,
) =>
  files.flatMap((file) =>
    [...read(file).matchAll(pattern)]
      .map(([, found = '']) => found)
      .filter((found) => isBroken(found, file))
      .map((found) => `${file}: ${found}`),
  )

/** The anchors that GitHub gives to the headings of a document. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gmu)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

test('every relative link in the documents leads to a file, and its anchor to a heading', () => {
  const broken = findAll([...documents, ...decisions], /\]\((?!https?:)([^)\s]+)\)/gu, (link, document) => {
    const [target = '', anchor] = link.split('#')
    const file = target === '' ? document : path.join(path.dirname(document), target)
    if (!existsSync(path.join(root, file))) return true
    return anchor !== undefined && !anchorsOf(read(file)).includes(anchor)
  })
  expect(broken).toEqual([])
})

test('every source file and folder that the documents name exists', () => {
  const named = /`((?:\w[\w-]*\/)+(?:[\w-]+\.ts)?)`/gu
  // `dist/` is written by the build.
  const missing = (name: string): boolean =>
    !name.startsWith('dist/') &&
    !['', 'src', 'test'].some((folder) => existsSync(path.join(root, folder, name)))
  expect(findAll(documents, named, missing)).toEqual([])
})

test('every npm script that the documents name exists', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const missing = (script: string): boolean => scripts[script] === undefined
  expect(findAll(documents, /npm run ([\w:-]+)/gu, missing)).toEqual([])
})

test('ARCHITECTURE.md describes every folder of src', () => {
  const text = read('ARCHITECTURE.md')
  const folders = readdirSync(path.join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  expect(folders.filter(({ name }) => !text.includes(`\`src/${name}/\``)).map(({ name }) => name)).toEqual([])
})
