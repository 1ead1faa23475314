import { Context } from '@temporalio/activity'

/**
 * Runs `body` while sending heartbeats. The server notices a dead worker by their absence, and delivers cancellation in
 * its answers. Outside of an activity (a plain function call) no heartbeats are sent.
 */
export async function withHeartbeats<T>(
  everyMs: number,
  body: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
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
