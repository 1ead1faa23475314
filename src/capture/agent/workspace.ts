import { createHash, randomUUID } from 'node:crypto'
import { cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { TRACE_FILE_NAME } from '../trace/log-audit-entry.ts'

export interface WorkspaceRequest {
  /** Where the builds of all packages live. */
  readonly root: string
  /** `@scope/name` is allowed. */
  readonly packageName: string
  /** Sets two builds of one package apart. */
  readonly runId: string
  /** Copied into a new workspace. */
  readonly templateDir?: string
}

/**
 * Makes the directory of one build, `root/package/run`, and returns its path. One that exists (a retried activity)
 * is kept with all it holds; a new one has all of the template from its first moment, links as they are.
 * Throws a `TypeError` where trying again cannot help: a name that would lead out of the root, no such template.
 */
export async function setupWorkspace(request: WorkspaceRequest): Promise<string> {
  const { templateDir } = request
  const root = path.resolve(request.root)
  const dir = path.join(root, safeName(request.packageName), safeName(request.runId))
  if (templateDir !== undefined && !(await isDirectory(templateDir))) {
    throw new TypeError(
      `cannot set up the workspace ${dir}: there is no template directory ${path.resolve(templateDir)}`,
    )
  }
  try {
    if (templateDir === undefined) await mkdir(dir, { recursive: true })
    else if (!(await holdsSomething(dir))) await copyWhole(templateDir, dir)
    return dir
  } catch (error) {
    throw new Error(`cannot set up the workspace ${dir}: ${(error as Error).message}`, { cause: error })
  }
}

async function isDirectory(dir: string): Promise<boolean> {
  const facts = await stat(dir).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new Error(`cannot look at ${dir}: ${(error as Error).message}`, { cause: error })
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

/** A copy that is killed in the middle is no workspace yet: what it left is taken away by the next one. */
async function copyWhole(from: string, to: string): Promise<void> {
  const parent = path.dirname(to)
  const prefix = `.${path.basename(to)}.copying-`
  const copy = path.join(parent, `${prefix}${randomUUID()}`)
  await mkdir(parent, { recursive: true })
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix)) await rm(path.join(parent, name), { recursive: true, force: true })
  }
  // Beforehand, for the mode: a template that nobody may write to would make such a workspace.
  await mkdir(copy)
  try {
    await cp(from, copy, { recursive: true, verbatimSymlinks: true })
    await rename(copy, to)
  } catch (error) {
    await rm(copy, { recursive: true, force: true })
    throw error
  }
}

/** Writes the agent's context file anew. A link or directory of that name, the template's or the agent's, gives way. */
export async function writeContext(dir: string, context: string): Promise<void> {
  const file = path.join(dir, CONTEXT_FILE)
  await rm(file, { recursive: true, force: true })
  await writeFile(file, context)
}

/** `@acme/web client` → `acme-web-client`: one path segment, never `..`. */
function safeName(name: string): string {
  const safe = name.replaceAll(/[^\w.-]+/g, '-').replace(/^[-.]+/, '')
  if (safe === '') throw new TypeError(`"${name}" leaves no name for a directory`)
  return safe
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Path below the workspace → what changes with every write. */
export type Snapshot = ReadonlyMap<string, string>

const CONTEXT_FILE = 'GEMINI.md'

/** What is not the agent's work: installed packages, caches, version control, what we write ourselves. */
const PASSED_OVER = new Set([
  'node_modules',
  '.git',
  '.gemini',
  '.venv',
  '.next',
  '.nuxt',
  '.turbo',
  '.cache',
  '__pycache__',
  TRACE_FILE_NAME,
  CONTEXT_FILE,
])
const isPassedOver = (name: string): boolean =>
  PASSED_OVER.has(name) || name.startsWith(`.${TRACE_FILE_NAME}`)

/** Made by tools where they stand at the top of a package; anywhere else (`src/build`) they are sources. */
const OUTPUT_DIRECTORIES = new Set(['dist', 'build', 'out', 'coverage', 'target', 'venv'])

/** All regular files below `dir` as they stand now, but for what tools make. */
export async function takeSnapshot(dir: string): Promise<Snapshot> {
  const found = new Map<string, string>()
  await visit('')
  return found

  async function visit(below: string): Promise<void> {
    const entries = await readdir(path.join(dir, below), { withFileTypes: true })
    const isPackage = below === '' || entries.some(({ name }) => name === 'package.json')
    for (const entry of entries) {
      if (isPassedOver(entry.name)) continue
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

/** Files created, written or deleted between the two, sorted. */
export function filesTouched(before: Snapshot, after: Snapshot): string[] {
  const names = new Set([...before.keys(), ...after.keys()])
  return [...names].filter((name) => before.get(name) !== after.get(name)).sort()
}
