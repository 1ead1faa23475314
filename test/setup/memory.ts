import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { until } from './process.ts'

/** What is in use once everything that nobody holds is gone; the engine may take its time to free the last of it. */
export function memoryInUse(): NodeJS.MemoryUsage {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  collectGarbage()
  return process.memoryUsage()
}

/** Whether in the end not more than so many bytes more than `before` are in use; fails where they stay. */
export const isFreed = (
  kind: 'heapUsed' | 'arrayBuffers',
  before: NodeJS.MemoryUsage,
  bytes: number,
): Promise<true> =>
  until(
    `at most ${bytes} bytes more are in use`,
    () => memoryInUse()[kind] - before[kind] <= bytes || undefined,
  )
