import type { Random } from '../../src/simulate/random.ts'

type Rejection = 'invalid_json' | 'schema' | 'invalid_utf8' | 'too_long'

/** One line as it is written, its end included, and what it is by construction: nothing has to parse it. */
export interface Line {
  readonly bytes: Buffer
  readonly kind: 'entry' | 'skipped' | Rejection
  readonly entry?: Readonly<Record<string, unknown>>
}

export const MAX_LINE_BYTES = 65_536

const MULTIBYTE = 'Prüfung fehlgeschlagen: Größe 寸法 не совпадает 🚫 '

export const BYTE_ORDER_MARK: Line = { bytes: Buffer.from([0xef, 0xbb, 0xbf]), kind: 'skipped' }

/** The line of an entry, written in one of the ways that JSON allows. */
export function entryLine(entry: Readonly<Record<string, unknown>>, random: Random): Line {
  const end = random.chance(0.1) ? '\r\n' : '\n'
  const shuffled = random.chance(0.2) ? Object.fromEntries(Object.entries(entry).toReversed()) : entry
  return { bytes: Buffer.from(JSON.stringify(shuffled) + end), kind: 'entry', entry }
}

const unique = (random: Random): string => String(random.integer(0, 1_000_000_000))

/**
 * A line that must not be counted, or that is nothing. No two are equal, apart from blank ones: a file that was never seen
 * and begins like all that was ever in another one is taken for its copy.
 */
function oddLine(random: Random): Line {
  const line = (kind: Line['kind'], text: string): Line => ({ bytes: Buffer.from(`${text}\n`), kind })
  const one = unique(random)
  const valid = { workflow_run_id: 'r', step_name: one, timestamp: '2026-01-01T00:00:00Z' }
  return random.pick([
    () => line('skipped', random.pick(['', '   ', '\t\r', ' '.repeat(random.integer(1, 200))])),
    () => line('invalid_json', `{"workflow_run_id": "${one}", "step_name`),
    () => line('invalid_json', one + MULTIBYTE.repeat(random.integer(1, 400))),
    () => line('invalid_json', '['.repeat(random.integer(1, 500)) + one + '['.repeat(4_000)),
    () => line('schema', JSON.stringify({ ...valid, prompt_token_count: random.pick([-1, '5', [], 1e300]) })),
    () =>
      line('schema', JSON.stringify({ ...valid, timestamp: random.pick(['yesterday', '2026-01-01', null]) })),
    () => line('schema', JSON.stringify({ ...valid, workflow_run_id: random.pick(['', 7, undefined]) })),
    () =>
      line(
        'schema',
        random.pick([
          `[null, ${one}]`,
          one,
          `"${one}"`,
          `{"${one}": {}}`,
          `{"__proto__": {"step_name": "${one}"}}`,
        ]),
      ),
    () => ({
      bytes: Buffer.concat([
        Buffer.from(JSON.stringify({ ...valid, error_full: MULTIBYTE }).slice(0, -2)),
        // Within the entry: behind it, the entry would count and the bytes alone would be rejected.
        Buffer.from(random.pick([[0xff], [0xc3], [0xe2, 0x82], [0xed, 0xa0, 0x80]])),
        Buffer.from('"}\n'),
      ]),
      kind: 'invalid_utf8' as const,
    }),
    () => line('too_long', one + 'x'.repeat(MAX_LINE_BYTES + random.integer(1, 250_000))),
  ])()
}

/** Label values: those at the end come into use as the rounds go on. */
const CONTEXTS = Array.from({ length: 24 }, (_, i) =>
  (i * 2_654_435_761 + 12_345).toString(16).padStart(12, 'a').padEnd(64, 'b'),
)
const ERROR_TYPES = [
  'TSC_ERROR',
  'ESLINT_ERROR',
  'JEST_FAILURE',
  'QUOTED "TYPE"\\',
  'ZEILE\nZWEI',
  ...numbered('TYPE', 20),
]
const WORDINGS = numbered('wording', 20)
const MODELS = ['gemini-2.5-pro', 'gemini-2.5-flash']

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${name}_${i}`)
}

/**
 * Builds that take turns in one file. A build never goes on in another file, so that what its entries
 * mean does not depend on the order in which files are read.
 */
export function createBuilds(random: Random, name: string, progress: () => number) {
  let builds = 0
  const open: Generator<Record<string, unknown>, void>[] = []

  /** One of the first values, more of them from round to round. */
  const growing = <T>(values: readonly T[]): T =>
    values[random.integer(0, Math.min(values.length - 1, 1 + Math.floor(progress() * values.length)))] as T

  function* build(): Generator<Record<string, unknown>, void> {
    const context = growing(CONTEXTS)
    const wording = growing(WORDINGS)
    const model = random.pick(MODELS)
    const common = { workflow_run_id: `${name}/${builds++}` }
    const agent = (step: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
      ...common,
      step_name: step,
      ...tokens(),
      ...(random.chance(0.7) && { context_file_hash: context }),
      ...(random.chance(0.6) && { instruction_version: wording }),
      ...(random.chance(0.3) && { model, cost_usd: random.integer(1, 4_096) / 1_024 }),
      ...(random.chance(0.3) && { duration_ms: random.integer(0, 90_000) }),
      // The outcome of the step alone: it closes no build.
      ...(random.chance(0.1) && { validation_status: 'pass' }),
      ...(random.chance(0.5) && { files_touched: numbered('src/file', random.integer(0, 9)) }),
      ...more,
    })
    yield agent('scaffold')
    if (random.chance(0.1)) return
    yield agent(random.pick(['implement_v1', 'implement_v2', 'plan "it"']))
    if (random.chance(0.1)) return
    for (let fix = 1; fix <= 3; fix++) {
      const errorType = growing(ERROR_TYPES)
      const status = random.chance(0.5) ? 'pass' : 'fail'
      yield {
        ...common,
        step_name: fix === 1 ? 'initial_verification' : `verification_${fix - 1}`,
        validation_status: status,
        ...(status === 'fail' && { validation_error_type: errorType, error_full: errorLog() }),
        ...(status === 'fail' && random.chance(0.5) && { error_log_size_chars: random.integer(1, 9_000) }),
      }
      if (status === 'pass') break
      if (random.chance(0.2)) return
      yield agent(
        `fix_attempt_${fix}`,
        random.chance(0.5) ? { error_log_size_chars: random.integer(1, 9_000) } : {},
      )
    }
    // After the close: counted as entries and tokens, never as another build.
    if (random.chance(0.2)) yield agent('report')
  }

  function tokens(): Record<string, unknown> {
    const prompt_token_count = random.integer(1, 9_000)
    const completion_token_count = random.integer(1, 4_000)
    const total = prompt_token_count + completion_token_count
    return random.pick([
      { prompt_token_count, completion_token_count, total_token_cost: total },
      { prompt_token_count, completion_token_count },
      { prompt_token_count, completion_token_count, total_token_cost: total + 7 },
      { prompt_token_count, total_token_cost: total },
      { total_token_cost: total },
      { completion_token_count, prompt_token_count: null },
      { prompt_token_count, completion_token_count, context_token_count: Math.ceil(prompt_token_count / 3) },
      {},
    ])
  }

  const errorLog = (): string =>
    MULTIBYTE.repeat(random.chance(0.1) ? random.integer(100, 500) : random.integer(1, 20))

  return {
    /** The next line; timestamps are set by whoever writes it. */
    next(nowMs: number): Line {
      if (random.chance(0.15)) return oddLine(random)
      for (;;) {
        if (open.length === 0 || (open.length < 3 && random.chance(0.3))) open.push(build())
        const at = random.integer(0, open.length - 1)
        const step = open[at]?.next()
        if (step !== undefined && step.done !== true) {
          return entryLine({ ...step.value, timestamp: new Date(nowMs).toISOString() }, random)
        }
        open.splice(at, 1)
      }
    },
  }
}
