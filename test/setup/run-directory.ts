import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** A directory for what several test files of one run share; removed after the run. */
    runDirectory: string
  }
}

export default function setup(project: TestProject): () => void {
  const directory = mkdtempSync(path.join(tmpdir(), 'audit-run-'))
  project.provide('runDirectory', directory)
  return () => rmSync(directory, { recursive: true, force: true })
}
