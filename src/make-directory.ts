import fs from 'node:fs'
import { access, mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

// `mkdir` with `recursive: true` never returns below a directory that answers ENOENT although it exists, as /proc
// does: Node.js takes the answer for a missing parent and starts over. Its synchronous version blocks signals, too.

/** Creates a directory and its missing parents. Throws the error of the file system if it cannot. */
export async function makeDirectory(directory: string): Promise<void> {
  const missing = [path.resolve(directory)]
  for (const parent of parentsOf(directory)) {
    if (await exists(parent)) break
    missing.unshift(parent)
  }
  for (const each of missing) {
    await mkdir(each).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST' || !(await stat(each)).isDirectory()) throw error
    })
  }
}

/** The synchronous version of `makeDirectory`. */
export function makeDirectorySync(directory: string): void {
  const missing = [path.resolve(directory)]
  for (const parent of parentsOf(directory)) {
    if (fs.existsSync(parent)) break
    missing.unshift(parent)
  }
  for (const each of missing) {
    try {
      fs.mkdirSync(each)
    } catch (error) {
      const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST'
      if (!isThere || !fs.statSync(each).isDirectory()) throw error
    }
  }
}

/** The parents of a path, nearest first. */
function* parentsOf(directory: string): Generator<string> {
  for (let at = path.resolve(directory); path.dirname(at) !== at;) {
    at = path.dirname(at)
    yield at
  }
}

const exists = (at: string): Promise<boolean> =>
  access(at).then(
    () => true,
    () => false,
  )
