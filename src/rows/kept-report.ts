import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { reportSchema, type Report } from '../audits/schema.ts'
import type { Period } from '../audits/views.ts'
import type { Manifest } from './dataset.ts'
import { versionOf } from './program-version.ts'
import { writeDurably } from './write-durably.ts'

/** The last report, beside the rows that it is on: while they are the same, so are its figures. */
export interface KeptReport {
  /** The report, if it is on these rows, for this period, and made by this program; `undefined` otherwise. Never throws. */
  find(): Report | undefined
  /** Keeps a report for the next run. */
  keep(report: Report): void
}

const FILE = 'report.json'

/** `nowMs` decides which open builds have timed out. */
export function createKeptReport(
  directory: string,
  manifest: Manifest,
  period: Period,
  nowMs: number,
): KeptReport {
  const key = keyOf(manifest, period, nowMs)
  const file = path.join(directory, FILE)
  return {
    find() {
      try {
        const kept = JSON.parse(fs.readFileSync(file, 'utf8')) as { key: string; report: Report }
        // Not what the schema returns: it would put the fields into another order.
        return kept.key === key && reportSchema.safeParse(kept.report).success ? kept.report : undefined
      } catch {
        return undefined
      }
    },
    keep: (report) => writeDurably(file, `${JSON.stringify({ key, report })}\n`),
  }
}

function keyOf(manifest: Manifest, period: Period, nowMs: number): string {
  const { input, entries, builds, build_timeout_ms: timeoutMs } = manifest
  const closed = manifest.open_builds.filter(({ idle_since_ms: idleMs }) => nowMs - idleMs > timeoutMs)
  const { sinceMs, untilMs } = period
  const decisive = [versionOf(), input, entries, builds, closed, sinceMs ?? null, untilMs ?? null]
  return createHash('sha256').update(JSON.stringify(decisive)).digest('hex')
}
