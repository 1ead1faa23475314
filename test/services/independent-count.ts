import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

// Counts trace files without any code of the exporter.

/** The fields of an entry that the count uses. */
export interface Line {
  readonly workflow_run_id: string
  readonly step_name: string
  readonly total_token_cost?: number
  readonly completion_token_count?: number
  readonly context_file_hash: string
  readonly validation_status: string
  readonly validation_error_type?: string
  readonly error_log_size_chars?: number
}

/** All entries of all builds; each build has a directory of its own. */
export const readLines = (builds: string): Line[] =>
  readdirSync(builds).flatMap((build) =>
    readFileSync(path.join(builds, build, 'audit_trace.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line),
  )

export const isFix = ({ step_name: step }: Line): boolean => step.startsWith('fix')
/** Simulated entries have a status only if they validate. */
export const isValidation = ({ validation_status: status }: Line): boolean =>
  status === 'pass' || status === 'fail'
export const hashOf = (line: Line): string => line.context_file_hash.slice(0, 12)
export const sum = (lines: readonly Line[], of: (line: Line) => number | undefined): number =>
  lines.reduce((total, line) => total + (of(line) ?? 0), 0)

export function byBuild(lines: readonly Line[]): Line[][] {
  const builds = new Map<string, Line[]>()
  for (const line of lines)
    builds.set(line.workflow_run_id, [...(builds.get(line.workflow_run_id) ?? []), line])
  return [...builds.values()]
}
const verdicts = (build: readonly Line[]): string[] =>
  build.filter(isValidation).map((line) => line.validation_status)
export const judgedBuilds = (lines: readonly Line[]): Line[][] =>
  byBuild(lines).filter((build) => verdicts(build).length > 0)
export const passedAtFirst = (build: readonly Line[]): boolean => verdicts(build)[0] === 'pass'
export const succeededBuilds = (lines: readonly Line[]): Line[][] =>
  byBuild(lines).filter((build) => verdicts(build).includes('pass'))
