import type { ServerResponse } from 'node:http'
import type { ModelTurn } from './fake-gemini-api.ts'
import { sendEvent, sendJson, startLocalServer, untilClosed, type LocalServer } from './local-server.ts'

/** The same for every answer: 1,000 tokens in, of which 300 came from a cache. */
export const anthropicUsage = { input: 600, cacheWritten: 100, cacheRead: 300, output: 57 } as const

export interface FakeAnthropicApi extends LocalServer {
  /** The bodies of the requests. */
  readonly requests: readonly string[]
}

/** A local stand-in for `api.anthropic.com`: streams what `answer` returns and reports `anthropicUsage` each time. */
export async function createFakeAnthropicApi(
  answer: (index: number) => ModelTurn,
): Promise<FakeAnthropicApi> {
  const requests: string[] = []
  const server = await startLocalServer(async (request, body, response) => {
    if (request.method !== 'POST' || !request.url?.startsWith('/v1/messages')) {
      return sendJson(response, 404, errorBody('not_found_error', 'no such path'))
    }
    requests.push(body)
    const turn = answer(requests.length - 1)
    if ('hang' in turn) return untilClosed(response)
    if ('status' in turn) {
      return sendJson(response, turn.status, errorBody('api_error', turn.message))
    }
    const { model } = JSON.parse(body) as { model: string }
    stream(response, `msg_${requests.length}`, model, turn)
  })
  return { ...server, requests }
}

const errorBody = (type: string, message: string) => ({ type: 'error', error: { type, message } })

function stream(response: ServerResponse, id: string, model: string, turn: ModelTurn): void {
  const send = (type: string, fields: object): void => sendEvent(response, type, fields)
  const { input, cacheWritten, cacheRead, output } = anthropicUsage
  const usage = {
    input_tokens: input,
    cache_creation_input_tokens: cacheWritten,
    cache_read_input_tokens: cacheRead,
    output_tokens: 1,
  }
  send('message_start', {
    message: { id, type: 'message', role: 'assistant', model, content: [], stop_reason: null, usage },
  })
  const blocks =
    'calls' in turn
      ? turn.calls.map(({ name, args }, i) => ({
          start: { type: 'tool_use', id: `${id}_${i}`, name, input: {} },
          delta: { type: 'input_json_delta', partial_json: JSON.stringify(args) },
        }))
      : 'text' in turn
        ? [{ start: { type: 'text', text: '' }, delta: { type: 'text_delta', text: turn.text } }]
        : []
  for (const [index, { start, delta }] of blocks.entries()) {
    send('content_block_start', { index, content_block: start })
    send('content_block_delta', { index, delta })
    send('content_block_stop', { index })
  }
  const stop = 'calls' in turn ? 'tool_use' : 'end_turn'
  send('message_delta', {
    delta: { stop_reason: stop, stop_sequence: null },
    usage: { output_tokens: output },
  })
  send('message_stop', {})
  response.end()
}
