import { checksEnvironment, type ChecksEnvironment } from './checks-environment.ts'
import { classifyFailure, errorTypeOf, type CheckKind } from './classify-failure.ts'
import { endOrphan, runMarked } from '../process/orphan.ts'
import { plainText, relevantLog } from './relevant-log.ts'
import type { ProcessResult } from '../process/run-process.ts'
import { truncateText } from '../truncate-text.ts'

export interface Check {
  /** Names the failure where its log does not: `build` → `BUILD_FAILURE`. */
  readonly name: string
  readonly kind: CheckKind
  /** Program and arguments; no shell reads them. */
  readonly command: readonly [string, ...string[]]
  /** Default 10 minutes. */
  readonly timeoutMs?: number
}

export const DEFAULT_CHECKS: readonly Check[] = [
  { name: 'install', kind: 'install', command: ['npm', 'install', '--no-audit', '--no-fund'] },
  { name: 'build', kind: 'build', command: ['npm', 'run', 'build'] },
  { name: 'lint', kind: 'lint', command: ['npm', 'run', 'lint'] },
  { name: 'test', kind: 'test', command: ['npm', 'test'] },
]

export interface ComplianceRequest {
  readonly workingDir: string
  readonly checks?: readonly Check[]
  /** Longest part of a log that goes into a fix prompt, in characters. Default 12,000. */
  readonly relevantLimitChars?: number
}

export interface ComplianceDeps {
  /**
   * What checks see of it: all but `GEMINI_*`, `GOOGLE_*`, names that end in `KEY`, `TOKEN`, `SECRET` or `PASSWORD`,
   * and `NODE_ENV=production`.
   */
  readonly env: NodeJS.ProcessEnv
  /** Names that checks get all the same, as `NPM_TOKEN` for a private registry. */
  readonly passEnv?: readonly string[]
  readonly signal?: AbortSignal
  readonly now?: () => Date
}

export interface ComplianceResult {
  readonly status: 'pass' | 'fail'
  readonly commandsAttempted: readonly string[]
  readonly durationMs: number
  /** ISO 8601 */
  readonly finishedAt: string
  /** Set where `status` is `fail`. */
  readonly failure?: CheckFailure
}

export interface CheckFailure {
  readonly check: string
  /** `TSC_ERROR`, `ESLINT_ERROR_NO_ANY`, … */
  readonly errorType: string
  /** The log, without colours, cut to what a workflow's history can bear. */
  readonly log: string
  /** Length of the whole log. */
  readonly logChars: number
  /** What a fix prompt should show. */
  readonly relevantLog: string
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000
const DEFAULT_RELEVANT_CHARS = 12_000
/** A result of a Temporal activity may take 2 MB: this many characters fit, whatever they are. */
const LOG_LIMIT_CHARS = 200_000

/**
 * Runs the checks in order and stops at the first that fails. A check that hangs has failed. What a check leaves
 * running is ended with it, and before the first one what an earlier, killed worker left in the workspace.
 * Throws where a program cannot be started, and where the checks were cancelled or killed from outside: neither is
 * the package's fault.
 */
export async function runComplianceChecks(
  request: ComplianceRequest,
  deps: ComplianceDeps,
): Promise<ComplianceResult> {
  const startedMs = performance.now()
  const commandsAttempted: string[] = []
  let failure: CheckFailure | undefined
  const environment = checksEnvironment(deps.env, deps.passEnv ?? [])
  await endOrphan(request.workingDir)
  for (const check of request.checks ?? DEFAULT_CHECKS) {
    commandsAttempted.push(check.command.join(' '))
    const result = await runCheck(check, request.workingDir, environment.env, deps.signal)
    if (result.how === 'exited' && result.code === 0) continue
    failure = describeFailure(
      check,
      result,
      environment.redact,
      request.relevantLimitChars ?? DEFAULT_RELEVANT_CHARS,
    )
    break
  }
  return {
    status: failure === undefined ? 'pass' : 'fail',
    commandsAttempted,
    durationMs: Math.round(performance.now() - startedMs),
    finishedAt: (deps.now ?? (() => new Date()))().toISOString(),
    ...(failure === undefined ? {} : { failure }),
  }
}

/** Signals that come from a person, a supervisor or a lack of memory on the machine. Others a program sends itself. */
const FROM_OUTSIDE: ReadonlySet<NodeJS.Signals | undefined> = new Set(['SIGTERM', 'SIGINT', 'SIGKILL'])

async function runCheck(
  check: Check,
  cwd: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<ProcessResult> {
  const [command, ...args] = check.command
  const timeoutMs = check.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const result = await runMarked(cwd, { command, args, cwd, env, timeoutMs, signal })
  const isKilled = result.how === 'killed' && FROM_OUTSIDE.has(result.endedBy)
  if (result.how === 'cancelled' || isKilled) {
    throw new Error(`the check "${check.name}" in ${cwd} was ${result.how}`)
  }
  return result
}

function describeFailure(
  check: Check,
  result: ProcessResult,
  redact: ChecksEnvironment['redact'],
  relevantLimitChars: number,
): CheckFailure {
  const hung = result.how === 'timeout'
  const log =
    (redact(plainText(result.output)) + noteOn(check, result)).trim() ||
    `exit code ${String(result.code)} without output`
  return {
    check: check.name,
    errorType: hung ? errorTypeOf(check.name, 'TIMEOUT') : classifyFailure(check.kind, check.name, log),
    log: truncateText(log, LOG_LIMIT_CHARS),
    logChars: log.length + result.outputChars - result.output.length,
    relevantLog: hung
      ? truncateText(log, relevantLimitChars)
      : relevantLog(log, relevantLimitChars, check.kind),
  }
}

/** What the program could not say itself of its end. */
function noteOn(check: Check, result: ProcessResult): string {
  const command = `"${check.command.join(' ')}"`
  if (result.how === 'timeout') {
    return `\n${command} was ended after ${String(Math.round(result.durationMs))} ms without an end.`
  }
  return result.how === 'killed' ? `\n${command} ended by ${String(result.endedBy)}.` : ''
}
