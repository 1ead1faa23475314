import type { ModelTurn } from './fake-gemini-api.ts'
import { sendEvent, sendJson, startLocalServer, untilClosed, type LocalServer } from './local-server.ts'

/** The same for every answer. */
export const openAiUsage = { input: 1000, cached: 400, output: 57, reasoning: 7 } as const

export interface FakeOpenAiApi extends LocalServer {
  /** The bodies of the requests. */
  readonly requests: readonly string[]
}

/** A local stand-in for OpenAI's Responses API: streams what `answer` returns and reports `openAiUsage` each time. */
export async function createFakeOpenAiApi(answer: (index: number) => ModelTurn): Promise<FakeOpenAiApi> {
  const requests: string[] = []
  const server = await startLocalServer(async (request, body, response) => {
    if (request.method !== 'POST' || !request.url?.startsWith('/v1/responses')) {
      return sendJson(response, 404, { error: { message: 'no such path' } })
    }
    requests.push(body)
    const turn = answer(requests.length - 1)
    if ('hang' in turn) return untilClosed(response)
    if ('status' in turn) {
      return sendJson(response, turn.status, { error: { type: typeOf(turn.status), message: turn.message } })
    }
    const id = `resp_${requests.length}`
    const output = itemsOf(id, turn)
    sendEvent(response, 'response.created', { response: { id } })
    for (const [index, item] of output.entries()) {
      sendEvent(response, 'response.output_item.done', { output_index: index, item })
    }
    sendEvent(response, 'response.completed', { response: { id, status: 'completed', output, usage } })
    response.end()
  })
  return { ...server, requests }
}

const typeOf = (status: number): string => (status === 400 ? 'invalid_request_error' : 'api_error')

const usage = {
  input_tokens: openAiUsage.input,
  input_tokens_details: { cached_tokens: openAiUsage.cached },
  output_tokens: openAiUsage.output,
  output_tokens_details: { reasoning_tokens: openAiUsage.reasoning },
  total_tokens: openAiUsage.input + openAiUsage.output,
}

function itemsOf(id: string, turn: ModelTurn): object[] {
  if ('calls' in turn) {
    return turn.calls.map(({ name, args }, i) => ({
      id: `${id}_${i}`,
      type: 'function_call',
      call_id: `call_${id}_${i}`,
      name,
      arguments: JSON.stringify(args),
      status: 'completed',
    }))
  }
  const text = 'text' in turn ? turn.text : ''
  const content = [{ type: 'output_text', text, annotations: [] }]
  return [{ id: `${id}_m`, type: 'message', role: 'assistant', status: 'completed', content }]
}
