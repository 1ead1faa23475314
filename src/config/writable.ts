import fs from 'node:fs'
import path from 'node:path'
import { makeDirectorySync } from '../make-directory.ts'

/** Creates a directory if it is missing. Throws an error that names the flag if it is not writable. */
export function requireWritableDirectory(flag: string, directory: string): void {
  try {
    makeDirectorySync(directory)
    fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK)
  } catch (error) {
    throw unwritable(flag, directory, error)
  }
}

/** Throws an error that names the flag if a file cannot be written. Creates nothing. */
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
