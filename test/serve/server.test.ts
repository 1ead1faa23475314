import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { hashSync } from 'bcryptjs'
import { afterEach, expect, test } from 'vitest'
import { createHttpServer, type HttpServer, type ServeDeps } from '../../src/serve/server.ts'
import { busyStatus } from './status-fixture.ts'

const servers: HttpServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** A server on a free port, with a count of the scrapes asked and sent. */
async function serve(over: Partial<ServeDeps> = {}, body = '# HELP up x\nup 1\n') {
  const seen = { scrapes: 0, sent: 0, errors: [] as string[] }
  const server = createHttpServer({
    scrape: () => {
      seen.scrapes++
      const sent = (): void => void seen.sent++
      return Promise.resolve({ contentType: 'text/plain; version=0.0.4', body, sent })
    },
    status: () => busyStatus(),
    notReadyReason: () => undefined,
    noScrapeReason: () => undefined,
    onRequestError: (error, path) => seen.errors.push(`${path}: ${String(error)}`),
    ...over,
  })
  servers.push(server)
  const { port } = await server.listen('127.0.0.1', 0)
  return { server, seen, port, url: `http://127.0.0.1:${port}` }
}

test('a scrape is answered in full and reported as sent once', async () => {
  const { url, seen } = await serve()
  const response = await fetch(`${url}/metrics?x=1`)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4')
  expect(await response.text()).toBe('# HELP up x\nup 1\n')
  await expect.poll(() => seen).toEqual({ scrapes: 1, sent: 1, errors: [] })
})

test('a HEAD of the metrics does not scrape', async () => {
  const { url, seen } = await serve()
  expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200)
  expect(seen).toEqual({ scrapes: 0, sent: 0, errors: [] })
})

test('a scrape whose client disconnects is not reported as sent', async () => {
  const body = 'x'.repeat(64 * 1024 * 1024)
  const { port, server, seen } = await serve({}, body)
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  socket.resetAndDestroy()
  await server.close()
  expect(seen).toMatchObject({ scrapes: 1, sent: 0 })
})

test('a scrape is not reported as sent if its connection broke before the response', async () => {
  const asked = Promise.withResolvers<void>()
  const rendered = Promise.withResolvers<void>()
  let sent = 0
  const { port, url, server } = await serve({
    async scrape() {
      asked.resolve()
      await rendered.promise
      return { contentType: 'text/plain', body: 'up 1\n', sent: () => void sent++ }
    },
  })
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  await asked.promise
  socket.resetAndDestroy()
  // Answered on a later connection: by then the server has seen the reset of the earlier one.
  await fetch(`${url}/healthz`)
  rendered.resolve()
  await server.close()
  expect(sent).toBe(0)
})

test('a client that reads nothing of its response is disconnected', async () => {
  const stalledMs = 100
  const { port } = await serve({ stalledMs }, 'x'.repeat(64 * 1024 * 1024))
  const socket = net.connect(port, '127.0.0.1')
  let isDisconnected = false
  socket.on('error', () => (isDisconnected = true))
  socket.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  socket.pause()
  // Only a write shows a client that does not read that its connection is gone. It counts as activity, so it must
  // come more rarely than the time-out.
  await expect
    .poll(() => isDisconnected || (socket.write('\r\n'), isDisconnected), {
      interval: 10 * stalledMs,
      timeout: 20_000,
    })
    .toBe(true)
  socket.destroy()
})

test('too many sign-ins at once are answered with 429, and the server goes on', async () => {
  // A cost of 8 takes some 20 ms: all requests below have arrived before the second of them is judged.
  const users = new Map([['prom', hashSync('right', 8)]])
  const { port } = await serve({ web: { users } })
  const sockets = Array.from({ length: 40 }, () => net.connect(port, '127.0.0.1').setEncoding('utf8'))
  const ask = async (socket: net.Socket, path: string, password: string): Promise<number> => {
    const credentials = Buffer.from(`prom:${password}`).toString('base64')
    socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Basic ${credentials}\r\n\r\n`)
    const [answer] = (await once(socket, 'data')) as [string]
    return Number(answer.split(' ', 2)[1])
  }
  // Node.js accepts one connection in each turn of the event loop: first all of them are accepted.
  await Promise.all(sockets.map((socket) => ask(socket, '/healthz', 'not judged')))
  const statuses = await Promise.all(sockets.map((socket, n) => ask(socket, '/metrics', `guess ${n}`)))
  expect(statuses.toSorted((a, b) => a - b)).toEqual([...Array(16).fill(401), ...Array(24).fill(429)])
  expect(await ask(sockets[0]!, '/metrics', 'right')).toBe(200)
  for (const socket of sockets) socket.destroy()
})

test('a long response is compressed only if the client accepts gzip', async () => {
  const body = 'up 1\n'.repeat(1_000)
  const { port } = await serve({}, body)
  const length = async (coding: string) => {
    const request = http.get({ port, path: '/metrics', agent: false, headers: { 'accept-encoding': coding } })
    const [response] = (await once(request, 'response')) as [http.IncomingMessage]
    response.resume()
    await once(response, 'end')
    return [response.headers['content-encoding'], Number(response.headers['content-length']) === body.length]
  }
  expect(await length('deflate, gzip;q=0.5')).toEqual(['gzip', false])
  expect(await length('gzip;q=0')).toEqual([undefined, true])
  const response = await fetch(`http://127.0.0.1:${port}/metrics`)
  expect(await response.text()).toBe(body)
})

test('a scrape before the exporter has caught up is answered with 503 and the reason, for HEAD as for GET', async () => {
  const { url, seen } = await serve({ noScrapeReason: () => 'first pass' })
  const response = await fetch(`${url}/metrics`)
  expect([response.status, await response.text()]).toEqual([503, 'not ready: first pass\n'])
  expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(503)
  expect(seen).toEqual({ scrapes: 0, sent: 0, errors: [] })
})

test('an exporter whose state cannot be written is not ready and can be scraped', async () => {
  const { url } = await serve({ notReadyReason: () => 'the disk is full' })
  const statuses = ['GET', 'HEAD'].map(async (method) => (await fetch(`${url}/metrics`, { method })).status)
  expect(await Promise.all(statuses)).toEqual([200, 200])
})

test('an internal error answers 500 without details, and the server continues', async () => {
  const { url, seen } = await serve({ scrape: () => Promise.reject(new Error('secret cause')) })
  const response = await fetch(`${url}/metrics`)
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('secret')
  expect(seen.errors).toEqual(['/metrics: Error: secret cause'])
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('/readyz follows the status, /healthz does not', async () => {
  const { url } = await serve({ notReadyReason: () => 'first pass' })
  const ready = await fetch(`${url}/readyz`)
  expect([ready.status, await ready.text()]).toEqual([503, 'not ready: first pass\n'])
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})

test('unknown paths are answered with 404, other methods with 405', async () => {
  const { url, seen } = await serve()
  const paths = ['/metrics/', '/constructor', '/etc/passwd', '//x']
  const statuses = await Promise.all(paths.map(async (path) => (await fetch(url + path)).status))
  expect(statuses).toEqual([404, 404, 404, 404])
  const post = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })
  expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  expect(seen.scrapes).toBe(0)
})

test('the error for a port in use names the port and says what to do', async () => {
  const { port, server } = await serve()
  const second = createHttpServer(allFail)
  await expect(second.listen('127.0.0.1', port)).rejects.toThrow(
    `Cannot listen on 127.0.0.1:${port}: another program uses the port`,
  )
  await server.close()
  await second.listen('127.0.0.1', port)
  await second.close()
})

test('the error for an address of another machine names it and says what to do', async () => {
  const server = createHttpServer(allFail)
  await expect(server.listen('192.0.2.1', 0)).rejects.toThrow(
    /192\.0\.2\.1:0: this machine does not have the address/u,
  )
})

test('the server closes although one client keeps its connection and another never completes its request', async () => {
  const { port, server } = await serve()
  const agent = new http.Agent({ keepAlive: true })
  const [response] = (await once(http.get({ port, path: '/healthz', agent }), 'response')) as [
    http.IncomingMessage,
  ]
  response.resume()
  await once(response, 'end')
  const slow = net.connect(port, '127.0.0.1')
  slow.write('GET /metrics HTTP/1.1\r\nx-slow: ')
  await once(slow, 'connect')
  const ended = once(slow, 'close')
  slow.resume()
  await server.close()
  await expect(ended).resolves.toEqual([false])
  agent.destroy()
})

test('with users, /metrics, / and /build require a password, /healthz and /readyz do not', async () => {
  const users = new Map([['prom', hashSync('right:é', 4)]])
  const { url, seen } = await serve({ web: { users } })
  const status = async (path: string, credentials?: string) => {
    const authorization = `Basic ${Buffer.from(credentials ?? '').toString('base64')}`
    const response = await fetch(url + path, credentials === undefined ? {} : { headers: { authorization } })
    await response.arrayBuffer()
    return response.status
  }
  expect(await status('/metrics')).toBe(401)
  expect(await status('/')).toBe(401)
  expect(await status('/build?run=x')).toBe(401)
  expect(await status('/metrics', 'prom:wrong')).toBe(401)
  expect(await status('/metrics', 'nobody:right:é')).toBe(401)
  expect(await status('/metrics', 'prom')).toBe(401)
  expect(seen.scrapes).toBe(0)
  expect(await status('/metrics', 'prom:right:é')).toBe(200)
  expect(await status('/metrics', 'prom:right:é')).toBe(200)
  expect(await status('/metrics', 'prom:wrong')).toBe(401)
  expect([await status('/healthz'), await status('/readyz')]).toEqual([200, 200])
})

const fail = (): never => {
  throw new Error('not to be called')
}
const allFail: ServeDeps = {
  scrape: fail,
  status: fail,
  notReadyReason: fail,
  noScrapeReason: fail,
  onRequestError: fail,
}
