import http from 'node:http'
import type { StatusView } from './status.ts'
import type { WebConfig } from './web-config.ts'
export interface Scrape {
  readonly contentType: string
  readonly body: string
  readonly sent: () => void
}
export type ScrapeAnswer = { ok: true; scrape: Scrape } | { ok: false; status: 503 | 500; message: string }
export interface ServeDeps {
  scrape: () => Promise<ScrapeAnswer>
  status: () => StatusView
  web?: WebConfig | undefined
  onRequestError: (error: unknown, path: string) => void
}
export interface HttpServer {
  listen(host: string, port: number): Promise<{ host: string; port: number }>
  close(): Promise<void>
}
export function createHttpServer(d: ServeDeps): HttpServer {
  const s = http.createServer(async (q, r) => {
    if (q.url === '/metrics') {
      const a = await d.scrape()
      if (!a.ok) {
        r.writeHead(a.status).end(a.message)
        return
      }
      r.on('finish', a.scrape.sent)
      r.writeHead(200, { 'content-type': a.scrape.contentType }).end(a.scrape.body)
      return
    }
    r.end(JSON.stringify(d.status(), null, 1))
  })
  return {
    listen: (host, port) =>
      new Promise((res, rej) => {
        s.once('error', rej)
        s.listen(port, host, () => res({ host, port: (s.address() as { port: number }).port }))
      }),
    close: () =>
      new Promise((res) => {
        s.close(() => res())
        s.closeAllConnections()
      }),
  }
}
