import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runProcess } from '../../../src/capture/process/run-process.ts'
import { createProcessWorld, isAlive, WRITER } from './process-world.ts'

const world = createProcessWorld()
const { read, shell, writerPid, writes } = world
afterEach(() => {
  const stranger = Number(read('stranger.pid') ?? 0)
  if (stranger > 0) process.kill(stranger, 'SIGKILL')
})

/** Starts a process that no run can find: in a session of its own, with an empty environment. The test ends it. */
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
      path.join(world.dir(), 'loud.cjs'),
      `const all = 'first' + 'x'.repeat(40e6) + 'last'; require('fs').writeFileSync(1, all.slice(0, 2e7)); require('fs').writeFileSync(1, all.slice(2e7))`,
    )
    const { output, outputChars } = await runProcess(shell('node loud.cjs | cat'))
    expect(outputChars).toBe(40_000_009)
    expect(output).toHaveLength(16 * 2 ** 20 + '\n[… 23222793 of 40000009 characters left out …]\n'.length)
    expect([output.slice(0, 5), output.slice(-4)]).toEqual(['first', 'last'])
    expect(output).toContain('\n[… 23222793 of 40000009 characters left out …]\n')
  })
})
