import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { createBasicAuth } from './auth.ts'
import { createCompressor, type Compress } from './compressor.ts'
import { renderBuild, renderNoBuild } from './page-build.ts'
import { PAGE_SECURITY_POLICY } from './page-document.ts'
import { renderPage, type Drawn } from './page.ts'
import type { BuildView, StatusView } from './status.ts'
import type { WebConfig } from './web-config.ts'
import { whenSent } from './when-sent.ts'

/** One rendered response to a scrape. */
interface Scrape {
  readonly contentType: string
  readonly body: string
  /** Called exactly once, and only after a response with status 200 was sent completely. */
  readonly sent: () => void
}

export interface ServeDeps {
  /** Why there is nothing to scrape yet; `undefined` if there is. Called for each request of /metrics. */
  noScrapeReason: () => string | undefined
  /** Commits and renders. Called once for each GET of /metrics, never for a HEAD. */
  scrape: () => Promise<Scrape>
  status: () => StatusView
  /** Makes the charts and the verdicts of the page. Absent: the page has tables only. */
  draw?: (view: StatusView) => Promise<Drawn>
  /** One build with its steps; `undefined` if it is not kept. Absent: the page has no views of builds. */
  build?: (runId: string) => Promise<BuildView | undefined>
  /** Why the exporter is not ready; `undefined` if it is. Called often. */
  notReadyReason: () => string | undefined
  web?: WebConfig | undefined
  /** Called when a response fails inside; the client gets a 500 without the cause. */
  onRequestError: (error: unknown, path: string) => void
  /** A client that reads nothing of its response for this long is disconnected. Default: 30 s. */
  stalledMs?: number
}

export interface HttpServer {
  /** Resolves with the bound address, in which port 0 is replaced. Rejects with an error that says what to do. */
  listen(host: string, port: number): Promise<{ host: string; port: number }>
  /** Stops accepting connections and finishes responses in progress, within two seconds. */
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Called once the response was sent completely. */
  readonly sent?: () => void
}

const TEXT = 'text/plain; charset=utf-8'
/** How long a client may take to send its request. */
const REQUEST_MS = 15_000
/** Longer than the usual scrape interval, so that Prometheus keeps its connection. */
const KEEP_ALIVE_MS = 90_000
/** How long a client may read nothing of its response. */
const STALLED_MS = 30_000
const CLOSE_GRACE_MS = 1_000
const MAX_CONNECTIONS = 512
const GZIP_FROM_CHARS = 1_024

const markup = (status: number, body: string): Answer => ({
  status,
  type: 'text/html; charset=utf-8',
  body,
  headers: { 'content-security-policy': PAGE_SECURITY_POLICY },
})
const text = (status: number, message: string): Answer => ({ status, type: TEXT, body: `${message}\n` })

/** Returns a function that authorizes a request and computes the answer for its path. */
type Route = (request: http.IncomingMessage, pathname: string, query: string) => Promise<Answer>

function createRoutes(deps: ServeDeps): Route {
  const allowed = createBasicAuth(deps.web?.users)

  const routes: Record<
    string,
    { open: boolean; answer: (method: string, query: string) => Promise<Answer> | Answer }
  > = {
    '/metrics': { open: false, answer: metrics },
    '/healthz': { open: true, answer: () => text(200, 'ok') },
    '/readyz': { open: true, answer: readiness },
    '/': { open: false, answer: page },
    '/build': { open: false, answer: (_, query) => build(query) },
  }

  async function metrics(method: string): Promise<Answer> {
    const reason = deps.noScrapeReason()
    if (reason !== undefined) return text(503, `not ready: ${reason}`)
    // A scrape advances new series from zero to their value, so the response must contain the samples.
    if (method === 'HEAD') return { status: 200, type: TEXT, body: '' }
    const { contentType, body, sent } = await deps.scrape()
    return { status: 200, type: contentType, body, sent }
  }

  function readiness(): Answer {
    const reason = deps.notReadyReason()
    return reason === undefined ? text(200, 'ready') : text(503, `not ready: ${reason}`)
  }

  async function page(): Promise<Answer> {
    const view = deps.status()
    return markup(200, renderPage(view, await deps.draw?.(view)))
  }

  async function build(query: string): Promise<Answer> {
    const runId = new URLSearchParams(query).get('run') ?? ''
    const view = await deps.build?.(runId)
    return view === undefined ? markup(404, renderNoBuild(runId)) : markup(200, renderBuild(view))
  }

  return async (request, pathname, query) => {
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
    if (route !== undefined && !route.open) {
      const verdict = await allowed(request.headers.authorization)
      if (verdict === 'busy') return text(429, 'Too many sign-ins at once. Try again.')
      if (verdict === 'refused') {
        const challenge = { 'www-authenticate': 'Basic realm="audit-trace-exporter", charset="UTF-8"' }
        return { ...text(401, 'A user name and a password are required.'), headers: challenge }
      }
    }
    if (route === undefined) return text(404, 'Not found. Paths: /, /build, /metrics, /healthz, /readyz.')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { ...text(405, 'Only GET and HEAD are allowed.'), headers: { allow: 'GET, HEAD' } }
    }
    return route.answer(request.method, query)
  }
}

/**
 * Serves /metrics, /healthz (the process is alive), /readyz, and / (a page for people).
 * If users are configured, /metrics and / need a password. /healthz and /readyz do not, and disclose nothing else.
 */
export function createHttpServer(deps: ServeDeps): HttpServer {
  const answerTo = createRoutes(deps)
  const compress = createCompressor()

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const [pathname = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/su, 2)
    try {
      await send(request, response, await answerTo(request, pathname, query), compress)
    } catch (error) {
      deps.onRequestError(error, pathname)
      if (response.headersSent) response.destroy()
      else await send(request, response, text(500, 'Internal error. See the log of the exporter.'), compress)
    }
  }

  const tls = deps.web?.tls
  const listener = (request: http.IncomingMessage, response: http.ServerResponse): void =>
    void handle(request, response)
  const limits = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS }
  const server =
    tls === undefined
      ? http.createServer(limits, listener)
      : https.createServer({ ...limits, ...tls, handshakeTimeout: REQUEST_MS }, listener)
  server.maxConnections = MAX_CONNECTIONS
  server.setTimeout(deps.stalledMs ?? STALLED_MS)

  return {
    async listen(host, port) {
      await new Promise<void>((resolve, reject) => {
        const refused = (error: NodeJS.ErrnoException): void => reject(listenError(error, host, port))
        server.once('error', refused)
        server.listen(port, host, () => {
          server.off('error', refused)
          resolve()
        })
      })
      const address = server.address() as AddressInfo
      return { host: address.address, port: address.port }
    },
    async close() {
      if (!server.listening) return
      const impatience = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS)
      // Also closes idle keep-alive connections.
      await new Promise<void>((resolve) => server.close(() => resolve()))
      clearTimeout(impatience)
    },
  }
}

async function send(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  answer: Answer,
  compress: Compress,
): Promise<void> {
  const zipped = answer.body.length >= GZIP_FROM_CHARS && wantsGzip(request.headers['accept-encoding'])
  const body = zipped ? await compress(answer.body) : Buffer.from(answer.body)
  response.writeHead(answer.status, {
    'content-type': answer.type,
    ...(request.method === 'HEAD' ? {} : { 'content-length': body.length }),
    ...(zipped ? { 'content-encoding': 'gzip' } : {}),
    vary: 'accept-encoding',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    ...answer.headers,
  })
  if (answer.sent !== undefined) whenSent(response, request.socket, answer.sent)
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Whether an Accept-Encoding header accepts gzip; `gzip;q=0` does not. */
function wantsGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .map((coding) =>
      coding
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/u),
    )
    .some(([name, quality]) => name === 'gzip' && !/^q=0(?:\.0*)?$/u.test(quality ?? ''))
}

const LISTEN_HINTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program uses the port; stop it, or choose another port with --listen',
  EACCES: 'this user may not use the port; choose one above 1023 with --listen',
  EADDRNOTAVAIL:
    'this machine does not have the address; choose one that it has with --listen, or 0.0.0.0 for all',
  ENOTFOUND: 'the host name is unknown; give an address of this machine with --listen',
  EAI_AGAIN: 'the host name lookup failed; give an address of this machine with --listen',
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const hint = LISTEN_HINTS[error.code ?? ''] ?? 'choose another address with --listen'
  return new Error(`Cannot listen on ${address}: ${hint} (${error.code ?? error.message})`, { cause: error })
}
