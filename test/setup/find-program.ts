import { accessSync, constants } from 'node:fs'
import path from 'node:path'

/** Returns the absolute path of a program on PATH or in a usual directory, or undefined. */
export function findProgram(program: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(path.delimiter)
  return [...directories, '/usr/bin', '/usr/local/bin', '/usr/local/go/bin']
    .map((directory) => path.join(directory, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}
