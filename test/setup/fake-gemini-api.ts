import { sendJson, startLocalServer, untilClosed, type LocalServer } from './local-server.ts'

/** What the model answers to one request. */
export type ModelTurn =
  | { readonly text: string }
  | { readonly calls: readonly { readonly name: string; readonly args: Record<string, unknown> }[] }
  /** An error response in the format of Google's APIs. */
  | { readonly status: number; readonly message: string }
  /** A complete answer without any parts. */
  | { readonly empty: true }
  /** No answer until the client disconnects. */
  | { readonly hang: true }

/** One request of the model API, as far as a script of answers needs it. */
export interface ModelRequest {
  readonly model: string
  readonly systemInstruction: string
  /** The texts of all turns so far, the model's own included. */
  readonly conversation: string
  /** What the CLI was asked: the last text of a user's turn that is not the CLI's own. */
  readonly prompt: string
  /** Number of tool responses in the conversation: 0 at the first request of a run. */
  readonly toolResponses: number
  /** The tool responses as JSON text, oldest first. */
  readonly toolAnswers: readonly string[]
}

/** The same for every answer, so that a test can compute what the CLI must report. */
export const fakeUsage = { prompt: 1000, cached: 400, candidates: 50, thoughts: 7 } as const

export interface FakeGeminiApi extends LocalServer {
  readonly requests: readonly ModelRequest[]
}

interface Part {
  readonly text?: string
  readonly functionResponse?: { readonly name: string; readonly response: unknown }
}
interface Content {
  readonly role?: string
  readonly parts?: readonly Part[]
}
interface Body {
  readonly systemInstruction?: Content
  readonly contents?: readonly Content[]
}

/** A local stand-in for `generativelanguage.googleapis.com`: streams what `answer` returns and reports `fakeUsage` each time. */
export async function createFakeGeminiApi(
  answer: (request: ModelRequest, index: number) => ModelTurn | Promise<ModelTurn>,
): Promise<FakeGeminiApi> {
  const requests: ModelRequest[] = []
  const server = await startLocalServer(async (request, text, response) => {
    const [, model = '', method = ''] = /models\/([^:]+):(\w+)/.exec(request.url ?? '') ?? []
    if (method === 'countTokens') return sendJson(response, 200, { totalTokens: fakeUsage.prompt })
    const body = JSON.parse(text || '{}') as Body
    const seen = modelRequest(model, body)
    requests.push(seen)
    const turn = await answer(seen, requests.length - 1)
    if ('hang' in turn) return untilClosed(response)
    if ('status' in turn) {
      const error = { code: turn.status, message: turn.message, status: statusName(turn.status) }
      return sendJson(response, turn.status, { error })
    }
    const chunk = answerChunk(model, turn)
    if (method !== 'streamGenerateContent') return sendJson(response, 200, chunk)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`data: ${JSON.stringify(chunk)}\r\n\r\n`)
  })
  return { ...server, requests }
}

function modelRequest(model: string, body: Body): ModelRequest {
  const texts = (content: Content | undefined): string =>
    (content?.parts ?? []).map((part) => part.text ?? '').join('\n')
  const contents = body.contents ?? []
  const toolAnswers = contents.flatMap((content) =>
    (content.parts ?? []).flatMap((part) =>
      part.functionResponse === undefined ? [] : [JSON.stringify(part.functionResponse)],
    ),
  )
  const users = contents
    .filter((content) => content.role === 'user')
    .flatMap((content) => (content.parts ?? []).map((part) => part.text ?? ''))
  return {
    model,
    systemInstruction: texts(body.systemInstruction),
    conversation: contents.map(texts).join('\n'),
    prompt: users.findLast((text) => text !== '' && !text.startsWith('<session_context>')) ?? '',
    toolResponses: toolAnswers.length,
    toolAnswers,
  }
}

function answerChunk(model: string, turn: ModelTurn): unknown {
  const parts =
    'text' in turn
      ? [{ text: turn.text }]
      : 'calls' in turn
        ? turn.calls.map((call) => ({ functionCall: call }))
        : []
  return {
    candidates: [{ index: 0, content: { role: 'model', parts }, finishReason: 'STOP' }],
    usageMetadata: {
      promptTokenCount: fakeUsage.prompt,
      cachedContentTokenCount: fakeUsage.cached,
      candidatesTokenCount: fakeUsage.candidates,
      thoughtsTokenCount: fakeUsage.thoughts,
      totalTokenCount: fakeUsage.prompt + fakeUsage.candidates + fakeUsage.thoughts,
    },
    modelVersion: model,
  }
}

const statusName = (status: number): string =>
  status === 429
    ? 'RESOURCE_EXHAUSTED'
    : status >= 500
      ? 'INTERNAL'
      : status === 401
        ? 'UNAUTHENTICATED'
        : 'INVALID_ARGUMENT'
