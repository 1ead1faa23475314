import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import type { ProcessRequest } from '../../../src/capture/process/run-process.ts'
import { until } from '../../setup/process.ts'

/** A temporary directory for each test of the file that calls this, and a process in it that writes without end. */
export function createProcessWorld() {
  let dir = ''
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'audit-process-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const read = (name: string): string | undefined => {
    const file = path.join(dir, name)
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined
  }
  const writerPid = (): number | undefined => {
    const pid = read('writer.pid') ?? ''
    return pid.endsWith('\n') ? Number(pid) : undefined
  }
  return {
    dir: () => dir,
    read,
    readMark: () => read('.audit_trace.jsonl.agent'),
    writerPid,
    /** Waits until `WRITER` writes; returns its pid. */
    writes: (): Promise<number> => until('the writer writes', writerPid),
    /** A bash script, run in the directory. */
    shell: (script: string, more: Partial<ProcessRequest> = {}): ProcessRequest => ({
      command: 'bash',
      args: ['-c', script],
      cwd: dir,
      env: process.env,
      timeoutMs: 15 * 60_000,
      ...more,
    }),
  }
}

/** Writes its pid, then writes for ever, in a session of its own, like a command of the Gemini CLI. */
export const WRITER = `setsid bash -c 'echo $$ > writer.pid; while true; do echo more >> written; sleep 0.02; done'`

/** Whether a process runs. One that has ended but that its parent has not yet waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'))
  } catch {
    return false
  }
}
