import { createContexts } from '../../src/metrics/contexts.ts'
import { createRecentBuilds } from '../../src/recent/recent-builds.ts'
import type { BuildSummary, FileView, StatusView } from '../../src/serve/status.ts'

const NOW_MS = Date.UTC(2026, 0, 31, 9, 5)

export const file = (over: Partial<FileView> = {}): FileView => ({
  path: '/builds/one/audit_trace.jsonl',
  state: 'hot',
  sizeBytes: 1_000,
  countedBytes: 1_000,
  rejectedBytes: 0,
  skippedBytes: 0,
  pendingBytes: 0,
  lagBytes: 0,
  line: 3,
  lastReadAtMs: NOW_MS - 12_000,
  ...over,
})

/** An engine that knows no single builds. */
export const NO_BUILDS = {
  recent: createRecentBuilds({ all: () => [] }),
  contexts: createContexts(
    { all: () => [] },
    { cap: 9, idleMs: 1, onHide: () => undefined, onUnhide: () => undefined },
  ),
}

export const summary = (over: Partial<BuildSummary> = {}): BuildSummary => ({
  runId: 'audited-build-zip-stream-07eb3d35b3',
  outcome: 'after_rework',
  project: 'shop',
  revision: 'v2 9f86d081884c',
  startedMs: NOW_MS - 3_600_000,
  lastEntryMs: NOW_MS - 3_000_000,
  entries: 7,
  tokens: 194_557,
  failures: 2,
  reworkSteps: 2,
  ...over,
})

/** An exporter that has just started and found nothing. */
export const emptyStatus = (over: Partial<StatusView> = {}): StatusView => ({
  version: '1.2.3',
  startedAtMs: NOW_MS - 60_000,
  nowMs: NOW_MS,
  ready: true,
  stateDurable: true,
  roots: [{ path: '/builds', state: 'watching' }],
  files: [],
  rejectedLines: {},
  warnings: {},
  entries: 0,
  tokens: 0,
  builds: { first_pass: 0, after_rework: 0, failed: 0, abandoned: 0 },
  buildTokens: { first_pass: 0, after_rework: 0, failed: 0, abandoned: 0 },
  buildsInProgress: 0,
  reworkCompletionTokens: 0,
  reworkErrorLogChars: 0,
  steps: [],
  errorTypes: [],
  contexts: [],
  audits: { fixes: [], promptShare: [], revisions: [], implement: [], fixPrompts: [], errorsByRevision: [] },
  recent: { kept: 0, last: [], dearest: [] },
  ...over,
})

/** An exporter in the middle of a working day. */
export const busyStatus = (over: Partial<StatusView> = {}): StatusView =>
  emptyStatus({
    startedAtMs: NOW_MS - 3 * 86_400_000,
    roots: [
      { path: '/builds', state: 'watching' },
      { path: '/mnt/more', state: 'waiting' },
    ],
    entries: 4_812,
    tokens: 23_456_789,
    builds: { first_pass: 420, after_rework: 260, failed: 90, abandoned: 30 },
    buildTokens: { first_pass: 6_300_000, after_rework: 9_100_000, failed: 5_400_000, abandoned: 600_000 },
    buildsInProgress: 7,
    reworkCompletionTokens: 3_030_000,
    reworkErrorLogChars: 2_000_000,
    rejectedLines: { invalid_json: 4, schema: 2, too_long: 0 },
    warnings: { total_disagrees: 3 },
    steps: [
      { step: 'implement_v1', phase: 'implement', entries: 800, tokens: 9_800_000 },
      { step: 'fix_attempt_1', phase: 'rework', entries: 380, tokens: 5_200_000 },
      { step: 'fix_attempt_2', phase: 'rework', entries: 190, tokens: 3_100_000 },
      { step: 'scaffold', phase: 'scaffold', entries: 800, tokens: 2_400_000 },
      { step: 'initial_verification', phase: 'verify', entries: 800, tokens: 0 },
    ],
    errorTypes: [
      { errorType: 'TSC_ERROR', entries: 201, reworkTokens: 4_100_000 },
      { errorType: 'JEST_FAILURE', entries: 120, reworkTokens: 3_000_000 },
      { errorType: 'ESLINT_ERROR_NO_ANY', entries: 64, reworkTokens: 900_000 },
    ],
    contexts: [
      { hash: '9f86d081884c', version: 'v2', firstSeenMs: NOW_MS - 86_400_000, entries: 1_900 },
      { hash: '60303ae22b99', version: 'v1', firstSeenMs: NOW_MS - 9 * 86_400_000, entries: 2_912 },
    ],
    audits: {
      fixes: [
        { errorType: 'TSC_ERROR', fixes: 420, tokens: 4_100_000 },
        { errorType: 'JEST_FAILURE', fixes: 300, tokens: 3_000_000 },
      ],
      promptShare: [{ phase: 'implement', context: 5_000_000, instruction: 250_000, other: 20_000_000 }],
      revisions: [
        {
          label: 'v1 60303ae22b99',
          builds: 500,
          judged: 500,
          firstPass: 220,
          successes: 400,
          tokens: 15_000_000,
          validations: 900,
          passed: 400,
        },
        {
          label: 'v2 9f86d081884c',
          builds: 300,
          judged: 300,
          firstPass: 200,
          successes: 280,
          tokens: 6_400_000,
          validations: 380,
          passed: 280,
        },
      ],
      implement: [
        {
          promptVersion: 'implement-1',
          builds: 800,
          judged: 800,
          firstPass: 420,
          completionTokens: 4_000_000,
        },
      ],
      fixPrompts: [
        {
          version: 'fix-1',
          fixes: 300,
          tokens: 3_630_000,
          completionTokens: 3_030_000,
          errorLogChars: 2_000_000,
        },
      ],
      errorsByRevision: [{ errorType: 'TSC_ERROR', failures: [90, 60] }],
    },
    files: [
      file({ path: '/builds/2026-01-31/a1f9/audit_trace.jsonl', sizeBytes: 48_200, countedBytes: 48_200 }),
      file({
        path: '/builds/2026-01-31/b77c/audit_trace.jsonl',
        sizeBytes: 5_300_000,
        countedBytes: 4_100_000,
        rejectedBytes: 812,
        pendingBytes: 188,
        lagBytes: 1_199_000,
      }),
      file({
        path: '/builds/2026-01-30/dead/audit_trace.jsonl',
        state: 'failing',
        lastReadAtMs: undefined,
        countedBytes: 0,
        lagBytes: 1_000,
        line: 0,
        error: 'EACCES: permission denied, open',
      }),
      file({ path: '/builds/2026-01-29/c003/audit_trace.jsonl', state: 'cold', lastReadAtMs: NOW_MS - 7e7 }),
    ],
    ...over,
  })

const LONG = 'ESLINT_ERROR_NO_UNSAFE_ASSIGNMENT_IN_A_VERY_LONG_RULE_NAME_64_CH'

/** Many revisions, error types, prompt versions and files, with names as long as a label may be. */
export function manyOfEach(): StatusView {
  const busy = busyStatus()
  const some = Array.from({ length: 40 }, (_, i) => i)
  const [revision] = busy.audits.revisions
  if (revision === undefined) throw new Error('the fixture has no revision')
  return {
    ...busy,
    steps: some.map((i) => ({
      step: `${i}${LONG}`,
      phase: 'implement',
      entries: 1e6,
      tokens: 1e10 / (i + 1),
    })),
    errorTypes: some.map((i) => ({ errorType: `${i}${LONG}`, entries: 1e6, reworkTokens: 1e10 / (i + 1) })),
    audits: {
      ...busy.audits,
      fixes: some.map((i) => ({ errorType: `${i}${LONG}`, fixes: 1e6, tokens: 1e10 / (i + 1) })),
      revisions: some.map((i) => ({ ...revision, label: `v${i + 100} 60303ae22b99`, firstPass: i * 12 })),
      implement: some.map((i) => ({
        promptVersion: `${i}${LONG}`,
        builds: 1e6,
        judged: 1e6 - i,
        firstPass: 1e6 - 20_000 * i,
        completionTokens: 1e10,
      })),
      fixPrompts: some.map((i) => ({
        version: `${i}${LONG}`,
        fixes: 1e6,
        tokens: 1e10,
        completionTokens: 1e10,
        errorLogChars: 1e9,
      })),
      errorsByRevision: some.map((i) => ({ errorType: `${i}${LONG}`, failures: some.map((n) => n * 1_000) })),
    },
    recent: {
      kept: 1_000,
      last: some.slice(0, 10).map((i) => summary({ runId: `run & /?#${i}`, outcome: undefined })),
      dearest: some.slice(0, 10).map((i) => summary({ runId: `${i}-${LONG}${LONG}`, tokens: 1e10 })),
    },
    files: some.map((i) => file({ path: `/builds/${LONG}/${LONG}/${i}/audit_trace.jsonl`, sizeBytes: 1e12 })),
  }
}
