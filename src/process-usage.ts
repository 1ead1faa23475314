import type { ProcessUsage } from './metrics/self.ts'

/** What this process uses, whatever else runs in it. */
export const processUsage: ProcessUsage = {
  cpuSeconds: () => (process.cpuUsage().user + process.cpuUsage().system) / 1e6,
  residentBytes: () => process.memoryUsage.rss(),
  heapUsedBytes: () => process.memoryUsage().heapUsed,
  startedSeconds: Date.now() / 1000 - process.uptime(),
}
