import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from './process.ts'

/** Returns the bytes in use after garbage collection. The engine may free the last of them later. */
export function memoryInUse(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return process.memoryUsage()
}

/** Waits until at most `bytes` more than `before` are in use; fails if they are not freed. */
export const isFreed = (
  kind: 'heapUsed' | 'arrayBuffers',
  before: NodeJS.MemoryUsage,
  bytes: number,
): Promise<true> =>
  until(
    `at most ${bytes} bytes more are in use`,
    () => memoryInUse()[kind] - before[kind] <= bytes || undefined,
  )
