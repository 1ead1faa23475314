import type { Random } from '../../src/simulate/random.ts'

const HOSTILE_NUMBERS = [
  '1e309',
  '-1',
  '-0',
  '1e400',
  '9007199254740993',
  '0.1e-400',
  '01',
  '+1',
  'NaN',
  '1e',
  '0x10',
  '.5',
]
const HOSTILE_TEXTS = [
  '\\ud800',
  '\\udc00\\ud800',
  '\\u0000',
  '\\u2028',
  '\u{1F600}'.repeat(50),
  '\\"}{\\"',
  '__name__',
  'constructor',
  '\\\\',
  '\\n\\r\\t',
]
const KEYS = [
  'workflow_run_id',
  'step_name',
  'timestamp',
  'prompt_token_count',
  'validation_status',
  'context_file_hash',
  'error_full',
  'files_touched',
  'duration_ms',
  'cost_usd',
  'instruction_version',
  'model',
]

/** A line like one that pipelines write, as text without its end. */
function plausible(random: Random): string {
  const entry = {
    workflow_run_id: `run-${random.integer(0, 500)}`,
    step_name: random.pick(['scaffold', 'implement_v1', 'fix_attempt_1', 'initial_verification']),
    timestamp: '2026-05-30T10:00:00.000Z',
    prompt_token_count: random.integer(0, 10_000),
    completion_token_count: random.integer(0, 10_000),
    context_file_hash: random.hex(2).repeat(32),
    validation_status: random.pick(['pass', 'fail', 'N/A']),
    validation_error_type: random.pick(['TSC_ERROR', 'JEST_FAILURE', '', 'N/A', null]),
    files_touched: ['src/a.ts', 'src/ü.ts'],
    error_full: 'x'.repeat(random.integer(0, 200)),
    instruction_version: `v${random.integer(1, 9)}`,
    model: 'gemini',
    cost_usd: 0.25,
    duration_ms: random.integer(0, 60_000),
  }
  return JSON.stringify(entry)
}

const MUTATIONS: readonly ((line: Buffer, random: Random) => Buffer)[] = [
  (line) => line,
  (line, random) => {
    for (let i = random.integer(1, 6); i > 0; i--) {
      const at = random.integer(0, line.length - 1)
      line[at] = (line[at] ?? 0) ^ (1 << random.integer(0, 7))
    }
    return line
  },
  (line, random) => line.subarray(0, random.integer(0, line.length)),
  (line, random) => {
    const euro = Buffer.from('€😀').subarray(0, random.integer(1, 6))
    const at = random.integer(0, line.length)
    return Buffer.concat([line.subarray(0, at), euro, line.subarray(at)])
  },
  (_, random) => Buffer.from(Array.from({ length: random.integer(0, 300) }, () => random.integer(0, 255))),
  (line, random) => {
    const key = random.pick(KEYS)
    const value = random.pick([
      random.pick(HOSTILE_NUMBERS),
      `"${random.pick(HOSTILE_TEXTS)}"`,
      'null',
      '[]',
      '{}',
      'true',
    ])
    return Buffer.from(`${line.toString().slice(0, -1)},"${key}":${value}}`)
  },
  (line, random) => {
    const depth = random.integer(1, 2_000)
    const nested = random.chance(0.5)
      ? `${'['.repeat(depth)}${']'.repeat(depth)}`
      : `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`
    return Buffer.from(`${line.toString().slice(0, -1)},"${random.pick(['deep', ...KEYS])}":${nested}}`)
  },
  (line) => Buffer.from(`${line.toString().slice(0, -1)},"__proto__":{"step_name":"evil","toString":1}}`),
  (line) => Buffer.from(`{"__proto__":${line.toString()}}`),
  (line, random) =>
    Buffer.from(
      line.toString().replace(random.pick(['"', ':', ',', '{', '}']), random.pick(['', '\u0000', '""', ' '])),
    ),
  (line) => Buffer.concat([line, Buffer.from('\r')]),
  (line, random) =>
    Buffer.from(' \t'.repeat(random.integer(0, 60)) + (random.chance(0.5) ? line.toString() : '')),
  (line) => Buffer.concat([line, line]),
  (line, random) =>
    Buffer.from(
      line
        .toString()
        .replace(/"step_name":"\w+"/u, `"step_name":"${random.hex(12)}${random.pick(HOSTILE_TEXTS)}"`),
    ),
]

/** Lines that nobody should write, ends included; newlines may stand anywhere in them. */
export function garbage(random: Random, count: number): Buffer {
  const parts: Buffer[] = []
  for (let i = 0; i < count; i++) {
    parts.push(random.pick(MUTATIONS)(Buffer.from(plausible(random)), random), Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}
