import { Context } from '@temporalio/activity'

/**
 * Tells the server that the activity lives, which is also how its cancellation gets here. An activity that is called
 * as a plain function has nobody to tell.
 */
export async function beating<T>(everyMs: number, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = currentActivity()
  if (context === undefined) return await body(new AbortController().signal)
  context.heartbeat()
  const timer = setInterval(() => context.heartbeat(), everyMs)
  try {
    return await body(context.cancellationSignal)
  } finally {
    clearInterval(timer)
  }
}

function currentActivity(): Context | undefined {
  try {
    return Context.current()
  } catch {
    return undefined
  }
}
