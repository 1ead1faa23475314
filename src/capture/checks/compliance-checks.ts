import { checksEnvironment, type ChecksEnvironment } from './checks-environment.ts'
import { classifyFailure, errorTypeOf } from './classify-failure.ts'
import { requireComplianceRequest, type Check, type ComplianceRequest } from './compliance-request.ts'
import { endOrphan, runMarked } from '../process/orphan.ts'
import { plainText, relevantLog } from './relevant-log.ts'
import type { ProcessResult } from '../process/run-process.ts'
import { truncateText } from '../truncate-text.ts'

export const DEFAULT_CHECKS: readonly Check[] = [
  { name: 'install', kind: 'install', command: ['npm', 'install', '--no-audit', '--no-fund'] },
  { name: 'build', kind: 'build', command: ['npm', 'run', 'build'] },
  { name: 'lint', kind: 'lint', command: ['npm', 'run', 'lint'] },
  { name: 'test', kind: 'test', command: ['npm', 'test'] },
]

export interface ComplianceDeps {
  /**
   * Checks get all of it except `GEMINI_*`, `GOOGLE_*`, names that end in `KEY`, `TOKEN`, `SECRET` or `PASSWORD`, and
   * `NODE_ENV=production`.
   */
  readonly env: NodeJS.ProcessEnv
  /** Variables that checks get nevertheless, such as `NPM_TOKEN` for a private registry. */
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
  /** Set if `status` is `fail`. */
  readonly failure?: CheckFailure
}

export interface CheckFailure {
  readonly check: string
  /** `TSC_ERROR`, `ESLINT_ERROR_NO_ANY`, … */
  readonly errorType: string
  /** The log without colours, cut to a length that fits into a workflow's history. */
  readonly log: string
  /** Length of the uncut log in characters. */
  readonly logChars: number
  /** The excerpt for the fix prompt. */
  readonly relevantLog: string
}

const DEFAULT_TIMEOUT_MS = 10 * 60_000
const DEFAULT_RELEVANT_CHARS = 12_000
/** The result of a Temporal activity is limited to 2 MB: this many characters fit, however they are encoded. */
const LOG_LIMIT_CHARS = 200_000

/**
 * Runs the checks in order and stops at the first that fails. A check that times out has failed. Processes that a check
 * leaves running are ended with it; processes that a killed worker left in the workspace are ended first.
 * Throws a `TypeError` that names the field if the request is not one, before anything runs. Throws if a program cannot be
 * started, and if the checks are cancelled or killed from outside: these are not failures
 * of the package.
 */
export async function runComplianceChecks(
  request: ComplianceRequest,
  deps: ComplianceDeps,
): Promise<ComplianceResult> {
  requireComplianceRequest(request)
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

/** Signals from a person, a supervisor or the kernel's OOM killer. A program raises other signals itself. */
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
    throw new Error(`cannot finish the check "${check.name}" in ${cwd}: it was ${result.how}`)
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

/** A note for the log that says how the program ended. */
function noteOn(check: Check, result: ProcessResult): string {
  const command = `"${check.command.join(' ')}"`
  if (result.how === 'timeout') {
    return `\n${command} timed out after ${String(Math.round(result.durationMs))} ms.`
  }
  return result.how === 'killed' ? `\n${command} was killed by ${String(result.endedBy)}.` : ''
}
