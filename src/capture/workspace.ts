import { createHash } from 'node:crypto'
import { cp, mkdir, readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { TRACE_FILE_NAME } from './log-audit-entry.ts'

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
 * is kept with all it holds. Throws where a name would lead out of the root.
 */
export async function setupWorkspace(request: WorkspaceRequest): Promise<string> {
  const root = path.resolve(request.root)
  const dir = path.join(root, safeName(request.packageName), safeName(request.runId))
  try {
    await mkdir(dir, { recursive: true })
    if (request.templateDir !== undefined) {
      await cp(request.templateDir, dir, { recursive: true, force: false })
    }
    return dir
  } catch (error) {
    throw new Error(`cannot set up the workspace ${dir}: ${(error as Error).message}`, { cause: error })
  }
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

/** What is not the agent's work: installed packages, version control, what we write ourselves. */
const PASSED_OVER = new Set(['node_modules', '.git', '.gemini', TRACE_FILE_NAME, 'GEMINI.md'])
const isPassedOver = (name: string): boolean =>
  PASSED_OVER.has(name) || name.startsWith(`.${TRACE_FILE_NAME}`)

/** All regular files below `dir` as they stand now. */
export async function takeSnapshot(dir: string): Promise<Snapshot> {
  const found = new Map<string, string>()
  await visit('')
  return found

  async function visit(below: string): Promise<void> {
    for (const entry of await readdir(path.join(dir, below), { withFileTypes: true })) {
      if (isPassedOver(entry.name)) continue
      const name = path.join(below, entry.name)
      if (entry.isDirectory()) await visit(name)
      else if (entry.isFile()) {
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
