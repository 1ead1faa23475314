/**
 * Waits for code that imports Temporal's packages. They are optional peers: only some commands need them. Throws an error
 * that says how to install them.
 */
export async function withTemporal<T>(command: string, importing: Promise<T>): Promise<T> {
  try {
    return await importing
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `${command}: Temporal's packages are not installed. Run: npm install @temporalio/{activity,client,common,worker,workflow} protobufjs`,
      { cause: error },
    )
  }
}
