import { Context } from '@temporalio/activity'

/** Tells the server that the activity lives, which is also how its cancellation gets here. */
export async function beating<T>(everyMs: number, body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current()
  context.heartbeat()
  const timer = setInterval(() => context.heartbeat(), everyMs)
  try {
    return await body(context.cancellationSignal)
  } finally {
    clearInterval(timer)
  }
}
