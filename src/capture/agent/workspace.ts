import { createHash, randomUUID } from 'node:crypto'
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeDirectory } from '../../make-directory.ts'
import { TRACE_FILE_NAME } from '../trace/log-audit-entry.ts'

export interface WorkspaceRequest {
  /** Parent directory of the builds of all packages. */
  readonly root: string
  /** `@scope/name` is allowed. */
  readonly packageName: string
  /** Tells the builds of one package apart. */
  readonly runId: string
  /** Copied into a new workspace. Default: the workspace starts empty. */
  readonly templateDir?: string
}

/**
 * Creates the directory of one build, `root/package/run`, and returns its path. An existing one (a retried activity)
 * is kept with its content. A new one appears with the complete template; symbolic links are copied as links.
 * Throws a `TypeError` if a retry cannot help: the template does not exist, or a name has no usable characters.
 */
export async function setupWorkspace(request: WorkspaceRequest): Promise<string> {
  const { templateDir } = request
  const root = path.resolve(request.root)
  const dir = path.join(root, safeName(request.packageName), safeName(request.runId))
  if (templateDir !== undefined && !(await isDirectory(templateDir))) {
    throw new TypeError(
      `cannot create the workspace ${dir}: the template directory ${path.resolve(templateDir)} does not exist`,
    )
  }
  try {
    if (templateDir === undefined) await makeDirectory(dir)
    else if (!(await holdsSomething(dir))) await copyWhole(templateDir, dir)
    return dir
  } catch (error) {
    throw new Error(`cannot create the workspace ${dir}: ${(error as Error).message}`, { cause: error })
  }
}

async function isDirectory(dir: string): Promise<boolean> {
  const facts = await stat(dir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`cannot read ${dir}: ${(error as Error).message}`, { cause: error })
  })
  return facts?.isDirectory() === true
}

async function holdsSomething(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  })
  return names.length > 0
}

/** Copies under a temporary name, then renames. Leftovers of a killed copy are removed by the next one. */
async function copyWhole(from: string, to: string): Promise<void> {
  const parent = path.dirname(to)
  const prefix = `.${path.basename(to)}.copying-`
  const copy = path.join(parent, `${prefix}${randomUUID()}`)
  await makeDirectory(parent)
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(path.join(parent, name), { recursive: true, force: true })
  }
  // Created first to get its own mode: a read-only template would give a read-only workspace.
  await mkdir(copy)
  try {
    await cp(from, copy, { recursive: true, verbatimSymlinks: true })
    await rename(copy, to)
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
}

/** Writes the context file `name`. Whatever has that name, even a link or a directory, is removed first. */
export async function writeContext(dir: string, name: string, context: string): Promise<void> {
  const file = path.join(dir, name)
  await rm(file, { recursive: true, force: true })
  await writeFile(file, context)
}

/** `@acme/web client` → `acme-web-client`: one path segment, never `..`. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]+/g, '-').replace(/^[-.]+/, '')
  if (safe === '')
    throw new TypeError(`cannot make a directory name from "${name}": it has no letter, digit or _`)
  return safe
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Path below the workspace → a text that changes with every write. */
export type Snapshot = ReadonlyMap<string, string>

/** Not the agent's work: installed packages, caches, version control, contexts of agents, and our own files. */
const IGNORED = new Set([
  'node_modules',
  '.git',
  '.gemini',
  '.claude',
  '.codex',
  '.venv',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  '__pycache__',
  TRACE_FILE_NAME,
  'GEMINI.md',
  'CLAUDE.md',
  'AGENTS.md',
])
const isIgnored = (name: string): boolean => IGNORED.has(name) || name.startsWith(`.${TRACE_FILE_NAME}`)

/** Generated if they stand at the top of a package. Elsewhere (`src/build`) they are sources. */
const OUTPUT_DIRECTORIES = new Set(['dist', 'build', 'out', 'coverage', 'target', 'venv'])

/** All regular files below `dir` at this moment, without generated ones. */
export async function takeSnapshot(dir: string): Promise<Snapshot> {
  const found = new Map<string, string>()
  await visit('')
  return found

  async function visit(below: string): Promise<void> {
    const entries = await readdir(path.join(dir, below), { withFileTypes: true })
    const isPackage = below === '' || entries.some(({ name }) => name === 'package.json')
    for (const entry of entries) {
      if (isIgnored(entry.name)) continue
      const name = path.join(below, entry.name)
      if (entry.isDirectory()) {
        if (!(isPackage && OUTPUT_DIRECTORIES.has(entry.name))) await visit(name)
      } else if (entry.isFile()) {
        const facts = await stat(path.join(dir, name), { bigint: true }).catch(() => undefined)
        if (facts) found.set(name, `${String(facts.ino)} ${String(facts.size)} ${String(facts.ctimeNs)}`)
      }
    }
  }
}

/** Files created, written or deleted between two snapshots, sorted. */
export function filesTouched(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort()
}
