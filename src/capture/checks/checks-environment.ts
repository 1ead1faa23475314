/**
 * What checks must not learn: they run what an agent wrote, and what they print goes into the trace, into the
 * workflow's history and to the model.
 */
const WITHHELD = /^(GEMINI|GOOGLE)_|(^|_)(KEY|TOKEN|SECRET|PASSWORD)$/i

/** Shorter ones stand in any log by chance. */
const MIN_SECRET_CHARS = 8

export interface ChecksEnvironment {
  readonly env: NodeJS.ProcessEnv
  /** Replaces the values that were withheld: a check may find them elsewhere, in a file or another process. */
  readonly redact: (text: string) => string
}

/**
 * The worker's environment as checks get it: without its secrets (by name, but for those in `pass`), without colours,
 * and not for production, where npm would not install what the checks need.
 */
export function checksEnvironment(given: NodeJS.ProcessEnv, pass: readonly string[]): ChecksEnvironment {
  const isWithheld = (name: string): boolean => WITHHELD.test(name) && !pass.includes(name)
  const env = Object.fromEntries(
    Object.entries(given).filter(
      ([name, value]) => !isWithheld(name) && !(name === 'NODE_ENV' && value === 'production'),
    ),
  )
  const secrets = Object.entries(given)
    .flatMap(([name, value]) =>
      isWithheld(name) && value !== undefined && value.length >= MIN_SECRET_CHARS ? [{ name, value }] : [],
    )
    // One may be a part of another.
    .sort((a, b) => b.value.length - a.value.length)
  return {
    env: { ...env, CI: 'true', NO_COLOR: '1', FORCE_COLOR: '0' },
    redact: (text) =>
      secrets.reduce((rest, { name, value }) => rest.replaceAll(value, () => `[${name} withheld]`), text),
  }
}
