import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { runComplianceChecks } from '../../../src/capture/checks/compliance-checks.ts'
import type { Check } from '../../../src/capture/checks/compliance-request.ts'
import { endOrphan, markAgent, runMarked } from '../../../src/capture/process/orphan.ts'
import { runProcess } from '../../../src/capture/process/run-process.ts'
import { start, until } from '../../setup/process.ts'
import { createProcessWorld, isAlive, WRITER } from './process-world.ts'

const CHECKS = path.resolve(import.meta.dirname, '../../../src/capture/checks/compliance-checks.ts')
const world = createProcessWorld()
const { readMark, shell, writerPid, writes } = world

describe('processes that a killed worker left in a workspace', () => {
  it('are found by the mark and ended, also in sessions of their own', async () => {
    let mark: Promise<void> | undefined
    const orphan = runProcess(
      shell(`${WRITER} & sleep 1000`, {
        onStart: (started) => void (mark = markAgent(world.dir(), started)),
      }),
    )
    const pid = await writes()
    await mark
    expect(await endOrphan(world.dir())).toBe(true)
    expect(isAlive(pid)).toBe(false)
    expect(await orphan).toMatchObject({ how: 'killed' })
    expect(await endOrphan(world.dir())).toBe(false)
  })

  it('are ended even if only a child is left', async () => {
    const tag = '00000000-1111-4222-8333-444444444444'
    await markAgent(world.dir(), { groupId: 2 ** 22, tag })
    const child = runProcess(shell(`GEMINI_CLI_AUDIT_TRACE_PROCESS=${tag} ${WRITER} & wait`))
    await writes()
    expect(await endOrphan(world.dir())).toBe(true)
    expect((await child).how).toBe('exited')
  })

  it('a forged mark ends no other process', async () => {
    for (const forged of ['null', '{"tag":""}', '{"tag":".*"}', '{"groupId":1}']) {
      writeFileSync(path.join(world.dir(), '.audit_trace.jsonl.agent'), forged)
      expect(await endOrphan(world.dir())).toBe(false)
    }
  })

  it('are ended before the checks of the next attempt start', async () => {
    const script = `import { runComplianceChecks } from ${JSON.stringify(CHECKS)}
      const command = ['bash', '-c', ${JSON.stringify(`${WRITER} & sleep 1000`)}]
      const checks = [{ name: 'test', kind: 'test', command }]
      await runComplianceChecks({ workingDir: ${JSON.stringify(world.dir())}, checks }, { env: process.env })`
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
    expect(
      await runComplianceChecks({ workingDir: world.dir(), checks }, { env: process.env }),
    ).toMatchObject({
      status: 'pass',
    })
  })

  it('an ending attempt keeps the mark of a later one', async () => {
    const earlier = runMarked(world.dir(), shell('until [ -e go ]; do sleep 0.02; done'))
    await until('the earlier attempt is marked', readMark)
    await markAgent(world.dir(), { groupId: process.pid, tag: 'the later attempt' })
    writeFileSync(path.join(world.dir(), 'go'), '')
    expect(await earlier).toMatchObject({ how: 'exited' })
    expect(readMark()).toContain('the later attempt')
  })

  it('there is no mark after a run has ended', async () => {
    await runMarked(world.dir(), shell('true'))
    expect(readMark()).toBeUndefined()
  })
})
