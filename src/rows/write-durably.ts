import fs from 'node:fs'
import path from 'node:path'

/** Replaces a file by a rename, so that readers see the old or the new content; on return the new one is on disk. */
export function writeDurably(file: string, text: string): void {
  const partial = `${file}.part`
  const handle = fs.openSync(partial, 'w')
  try {
    fs.writeSync(handle, text)
    fs.fsyncSync(handle)
  } finally {
    fs.closeSync(handle)
  }
  fs.renameSync(partial, file)
  const folder = fs.openSync(path.dirname(file), 'r')
  try {
    fs.fsyncSync(folder)
  } finally {
    fs.closeSync(folder)
  }
}
