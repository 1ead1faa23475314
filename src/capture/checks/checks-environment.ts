/**
 * Names of variables that are withheld from checks. Checks run code that the agent wrote, and their output goes into
 * the trace, into the workflow's history and to the model.
 */
const WITHHELD = /^(GEMINI|GOOGLE)_|(^|_)(KEY|TOKEN|SECRET|PASSWORD)$/i

/** Shorter values occur in logs by chance and are not masked. */
const MIN_SECRET_CHARS = 8

export interface ChecksEnvironment {
  readonly env: NodeJS.ProcessEnv
  /** Masks the withheld values: a check may find them elsewhere, such as in a file or another process. */
  readonly redact: (text: string) => string
}

/**
 * The worker's environment for checks: without secrets (chosen by name, except the names in `pass`), without colours,
 * and without `NODE_ENV=production`, with which npm would not install dev dependencies.
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
    // Longest first: one secret may be part of another.
    .sort((a, b) => b.value.length - a.value.length)
  return {
    env: { ...env, CI: 'true', NO_COLOR: '1', FORCE_COLOR: '0' },
    redact: (text) =>
      secrets.reduce((rest, { name, value }) => rest.replaceAll(value, () => `[${name} withheld]`), text),
  }
}
