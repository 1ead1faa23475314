/** The command line or an environment variable cannot be used as given. Ends the program with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
