import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { homedir } from 'node:os'
import path from 'node:path'

/** What is expensive to get, and kept between runs. */
export const CACHE = path.join(
  process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'),
  'audit-trace-exporter',
)

/** Runs while no other process holds the lock file. The kernel releases the lock if this process dies. */
export async function exclusively(lock: string, run: () => Promise<void>): Promise<void> {
  const holder = spawn('flock', [lock, 'sh', '-c', 'echo locked; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    await once(holder, 'spawn')
  } catch {
    // No flock on this system: two builds at once are slow, not wrong.
    return run()
  }
  try {
    await once(holder.stdout, 'data')
    await run()
  } finally {
    holder.stdin.end()
  }
}
