import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runComplianceChecks, type Check } from '../../../src/capture/checks/compliance-checks.ts'
import { endOrphan, markAgent, runMarked } from '../../../src/capture/process/orphan.ts'
import { runProcess, type ProcessRequest } from '../../../src/capture/process/run-process.ts'
import { start, until } from '../../setup/process.ts'

let dir = ''
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'audit-process-'))
})
afterEach(() => {
  const stranger = Number(read('stranger.pid') ?? 0)
  if (stranger > 0) process.kill(stranger, 'SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

const CHECKS = path.resolve(import.meta.dirname, '../../../src/capture/checks/compliance-checks.ts')
const A_QUARTER_MS = 15 * 60_000
const shell = (script: string, more: Partial<ProcessRequest> = {}): ProcessRequest => ({
  command: 'bash',
  args: ['-c', script],
  cwd: dir,
  env: process.env,
  timeoutMs: A_QUARTER_MS,
  ...more,
})

const read = (name: string): string | undefined => {
  const file = path.join(dir, name)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}
const readMark = (): string | undefined => read('.audit_trace.jsonl.agent')

/** Writes its number, then goes on writing for ever, in a session of its own: as the Gemini CLI starts commands. */
const WRITER = `setsid bash -c 'echo $$ > writer.pid; while true; do echo more >> written; sleep 0.02; done'`
const writerPid = (): number | undefined => {
  const pid = read('writer.pid') ?? ''
  return pid.endsWith('\n') ? Number(pid) : undefined
}
const writes = (): Promise<number> => until('the writer writes', writerPid)

/** Dead, or dead but not yet fetched by its parent. */
function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Starts what no run can find: a session of its own, with an empty environment. The test ends it. */
function stranger(script: string): string {
  return `env -i PATH="$PATH" setsid bash -c 'echo $$ > stranger.pid; exec ${script}'`
}

describe('runProcess', () => {
  it('a timeout also ends children in sessions of their own', async () => {
    const result = await runProcess(shell(`${WRITER} & sleep 1000`, { timeoutMs: 2_000 }))
    expect(result.how).toBe('timeout')
    expect(isAlive(writerPid() ?? process.pid)).toBe(false)
  })

  it('cancelling also ends children in sessions of their own', async () => {
    const cancel = new AbortController()
    const running = runProcess(shell(`${WRITER} & sleep 1000`, { signal: cancel.signal }))
    const pid = await writes()
    cancel.abort()
    expect((await running).how).toBe('cancelled')
    expect(isAlive(pid)).toBe(false)
  })

  it('children are ended when the program ends by itself', async () => {
    const result = await runProcess(shell(`${WRITER} & until [ -s writer.pid ]; do :; done`))
    expect(result).toMatchObject({ how: 'exited', code: 0 })
    expect(isAlive(writerPid() ?? process.pid)).toBe(false)
  })

  it('does not wait for another process that keeps the output open', async () => {
    const script = `${stranger('sleep 1000')} & until [ -s stranger.pid ]; do :; done; echo done`
    const result = await runProcess(shell(script, { timeoutMs: 60_000 }))
    expect(result).toMatchObject({ how: 'exited', code: 0, stdout: 'done\n' })
    expect(result.durationMs).toBeLessThan(60_000)
  })

  it('keeps the beginning and the end of a huge output, and counts all of it', async () => {
    writeFileSync(
      path.join(dir, 'loud.cjs'),
      `const all = 'first' + 'x'.repeat(40e6) + 'last'; require('fs').writeFileSync(1, all.slice(0, 2e7)); require('fs').writeFileSync(1, all.slice(2e7))`,
    )
    const { output, outputChars } = await runProcess(shell('node loud.cjs | cat'))
    expect(outputChars).toBe(40_000_009)
    expect(output).toHaveLength(16 * 2 ** 20 + '\n[… 23222793 of 40000009 characters left out …]\n'.length)
    expect([output.slice(0, 5), output.slice(-4)]).toEqual(['first', 'last'])
    expect(output).toContain('\n[… 23222793 of 40000009 characters left out …]\n')
  })
})

describe('processes that a killed worker left in a workspace', () => {
  it('are found by the mark and ended, also in sessions of their own', async () => {
    let mark: Promise<void> | undefined
    const orphan = runProcess(
      shell(`${WRITER} & sleep 1000`, { onStart: (started) => void (mark = markAgent(dir, started)) }),
    )
    const pid = await writes()
    await mark
    expect(await endOrphan(dir)).toBe(true)
    expect(isAlive(pid)).toBe(false)
    expect(await orphan).toMatchObject({ how: 'killed' })
    expect(await endOrphan(dir)).toBe(false)
  })

  it('are ended even if only a child is left', async () => {
    const tag = '00000000-1111-4222-8333-444444444444'
    await markAgent(dir, { groupId: 2 ** 22, tag })
    const child = runProcess(shell(`GEMINI_CLI_AUDIT_TRACE_PROCESS=${tag} ${WRITER} & wait`))
    await writes()
    expect(await endOrphan(dir)).toBe(true)
    expect((await child).how).toBe('exited')
  })

  it('a forged mark ends no other process', async () => {
    for (const forged of ['null', '{"tag":""}', '{"tag":".*"}', '{"groupId":1}']) {
      writeFileSync(path.join(dir, '.audit_trace.jsonl.agent'), forged)
      expect(await endOrphan(dir)).toBe(false)
    }
  })

  it('are ended before the checks of the next attempt start', async () => {
    const script = `import { runComplianceChecks } from ${JSON.stringify(CHECKS)}
      const command = ['bash', '-c', ${JSON.stringify(`${WRITER} & sleep 1000`)}]
      const checks = [{ name: 'test', kind: 'test', command }]
      await runComplianceChecks({ workingDir: ${JSON.stringify(dir)}, checks }, { env: process.env })`
    const worker = start(process.execPath, ['--input-type=module', '--eval', script])
    const pid = await until('the check of the first worker writes', writerPid)
    await until('it is marked', readMark)
    expect(await worker.stop('SIGKILL')).toBe('SIGKILL')
    expect(isAlive(pid)).toBe(true)
    const checks: Check[] = [
      {
        name: 'alone',
        kind: 'other',
        command: ['bash', '-c', `! grep -v ') [ZX] ' /proc/${String(pid)}/stat`],
      },
    ]
    expect(await runComplianceChecks({ workingDir: dir, checks }, { env: process.env })).toMatchObject({
      status: 'pass',
    })
  })

  it('an ending attempt keeps the mark of a later one', async () => {
    const earlier = runMarked(dir, shell('until [ -e go ]; do sleep 0.02; done'))
    await until('the earlier attempt is marked', readMark)
    await markAgent(dir, { groupId: process.pid, tag: 'the later attempt' })
    writeFileSync(path.join(dir, 'go'), '')
    expect(await earlier).toMatchObject({ how: 'exited' })
    expect(readMark()).toContain('the later attempt')
  })

  it('there is no mark after a run has ended', async () => {
    await runMarked(dir, shell('true'))
    expect(readMark()).toBeUndefined()
  })
})
