import fs from 'node:fs'
import path from 'node:path'

/** Makes a directory where there is none. Throws what names the flag where it cannot be written to. */
export function requireWritableDirectory(flag: string, directory: string): void {
  try {
    fs.mkdirSync(directory, { recursive: true })
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    throw unwritable(flag, directory, error)
  }
}

/** Throws what names the flag where a file cannot be written; leaves no trace. */
export function requireWritableFile(flag: string, file: string): void {
  try {
    if (fs.existsSync(file)) {
      fs.accessSync(file, fs.constants.W_OK)
      if (fs.statSync(file).isDirectory()) throw new Error('it is a directory')
    } else {
      fs.accessSync(path.dirname(file), fs.constants.W_OK | fs.constants.X_OK)
    }
  } catch (error) {
    throw unwritable(flag, file, error)
  }
}

const unwritable = (flag: string, what: string, error: unknown): Error =>
  new Error(`${flag}: cannot write to ${what}: ${error instanceof Error ? error.message : String(error)}`, {
    cause: error,
  })
