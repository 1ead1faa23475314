import type { EventEmitter } from 'node:events'

/** As much of a `ServerResponse` and its socket as is needed. */
export interface SentResponse extends Pick<EventEmitter, 'once'> {
  readonly errored: Error | null
}

/**
 * Calls `sent` once the whole response was handed to the operating system, and never if the connection broke before.
 * Node.js 24.0 emits 'finish' also when the last write failed; later versions of 24 do not.
 */
export function whenSent(
  response: SentResponse,
  socket: { readonly errored: Error | null },
  sent: () => void,
): void {
  response.once('finish', () => {
    if (response.errored === null && socket.errored === null) sent()
  })
}
