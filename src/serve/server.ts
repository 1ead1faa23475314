import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { createBasicAuth } from './auth.ts'
import { PAGE_SECURITY_POLICY, renderPage } from './page.ts'
import type { ChartSet } from '../charts/chart-set.ts'
import type { StatusView } from './status.ts'
import type { WebConfig } from './web-config.ts'
import { whenSent } from './when-sent.ts'

/** One rendered answer to Prometheus. */
interface Scrape {
  readonly contentType: string
  readonly body: string
  /** Called exactly once, and only after a GET was answered whole with status 200. */
  readonly sent: () => void
}

export interface ServeDeps {
  /** Why there is nothing to scrape yet, asked before every answer: `undefined` where there is. */
  noScrapeReason: () => string | undefined
  /** Commits and renders; asked once for each GET of /metrics, never for a HEAD. */
  scrape: () => Promise<Scrape>
  status: () => StatusView
  /** Draws the charts of the page; absent: a page of tables. */
  charts?: (view: StatusView) => Promise<ChartSet>
  /** Why /readyz must say no, asked often: `undefined` where ready. */
  notReadyReason: () => string | undefined
  web?: WebConfig | undefined
  /** Called when a response fails inside; the client gets a 500 without the cause. */
  onRequestError: (error: unknown, path: string) => void
  /** A client that reads nothing of its response for this long is disconnected. Default: 30 s. */
  stalledMs?: number
}

export interface HttpServer {
  /** Resolves with the address bound (port 0 becomes a real one); rejects with an Error that says what to do. */
  listen(host: string, port: number): Promise<{ host: string; port: number }>
  /** Stops accepting, lets answers under way end, and is done within two seconds. */
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
  /** Called once the whole body went out. */
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

const compress = promisify(gzip)
const text = (status: number, message: string): Answer => ({ status, type: TEXT, body: `${message}\n` })

/**
 * The exporter's HTTP side: /metrics, /healthz (process alive), /readyz, / (a page for people).
 * With users configured, /metrics and / want a password; the two probes stay open, and say nothing else.
 */
export function createHttpServer(deps: ServeDeps): HttpServer {
  const allowed = createBasicAuth(deps.web?.users)

  const routes: Record<string, { open: boolean; answer: (method: string) => Promise<Answer> | Answer }> = {
    '/metrics': { open: false, answer: metrics },
    '/healthz': { open: true, answer: () => text(200, 'ok') },
    '/readyz': { open: true, answer: readiness },
    '/': { open: false, answer: page },
  }

  async function metrics(method: string): Promise<Answer> {
    const reason = deps.noScrapeReason()
    if (reason !== undefined) return text(503, `not ready: ${reason}`)
    // A scrape moves new series on from zero: only an answer that carries the samples may do that.
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
    return {
      status: 200,
      type: 'text/html; charset=utf-8',
      body: renderPage(view, await deps.charts?.(view)),
      headers: { 'content-security-policy': PAGE_SECURITY_POLICY },
    }
  }

  async function answerTo(request: http.IncomingMessage, pathname: string): Promise<Answer> {
    const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
    if (route !== undefined && !route.open) {
      const verdict = await allowed(request.headers.authorization)
      if (verdict === 'busy') return text(429, 'too many sign-ins at once; try again')
      if (verdict === 'refused') {
        const challenge = { 'www-authenticate': 'Basic realm="audit-trace-exporter", charset="UTF-8"' }
        return { ...text(401, 'a user name and password are needed'), headers: challenge }
      }
    }
    if (route === undefined) return text(404, 'not found; there are /, /metrics, /healthz and /readyz')
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return { ...text(405, 'only GET and HEAD are answered'), headers: { allow: 'GET, HEAD' } }
    }
    return route.answer(request.method)
  }

  async function handle(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const pathname = (request.url ?? '/').split('?', 1)[0] ?? '/'
    try {
      await send(request, response, await answerTo(request, pathname))
    } catch (error) {
      deps.onRequestError(error, pathname)
      if (response.headersSent) response.destroy()
      else await send(request, response, text(500, 'internal error; the log of the exporter says more'))
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
      // Also closes the kept-alive connections that wait for a next request.
      await new Promise<void>((resolve) => server.close(() => resolve()))
      clearTimeout(impatience)
    },
  }
}

async function send(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  answer: Answer,
): Promise<void> {
  const zipped = answer.body.length >= GZIP_FROM_CHARS && wantsGzip(request.headers['accept-encoding'])
  const body = zipped ? await compress(answer.body, { level: 1 }) : Buffer.from(answer.body)
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

/** Whether an Accept-Encoding header asks for gzip; `gzip;q=0` refuses it. */
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
  EADDRINUSE:
    'the port is in use by another program; stop that program, or choose another port with --listen',
  EACCES: 'this user may not use the port (below 1024 needs privileges); choose a higher one with --listen',
  EADDRNOTAVAIL: 'this machine has no such address; choose one of its own with --listen, or 0.0.0.0 for all',
  ENOTFOUND: 'the host name is not known; give an address of this machine with --listen',
  EAI_AGAIN: 'the host name could not be looked up; give an address of this machine with --listen',
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const hint = LISTEN_HINTS[error.code ?? ''] ?? 'choose another address with --listen'
  return new Error(`cannot listen on ${address}: ${hint} (${error.code ?? error.message})`, { cause: error })
}
