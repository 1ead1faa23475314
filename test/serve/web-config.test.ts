import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { hashSync } from 'bcryptjs'
import { afterAll, expect, test } from 'vitest'
import { createHttpServer } from '../../src/serve/server.ts'
import { readWebConfig } from '../../src/serve/web-config.ts'
import { emptyStatus } from './status-fixture.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'web-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

const write = (text: string): string => {
  const file = path.join(directory, 'web.yml')
  writeFileSync(file, text)
  return file
}

function makeCertificate(): void {
  const output = ['-keyout', path.join(directory, 'key.pem'), '-out', path.join(directory, 'cert.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject, ...output],
    {
      stdio: 'ignore',
    },
  )
}

test('a certificate next to the file serves HTTPS', async () => {
  makeCertificate()
  const web = readWebConfig(write('tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\n'))
  const server = createHttpServer({
    web,
    scrape: fail,
    noScrapeReason: () => undefined,
    status: () => emptyStatus(),
    notReadyReason: () => undefined,
    onRequestError: fail,
  })
  const { port } = await server.listen('127.0.0.1', 0)
  const request = https.get({ port, host: '127.0.0.1', path: '/healthz', ca: web.tls?.cert, agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  expect(response.statusCode).toBe(200)
  response.resume()
  await once(response, 'end')
  await server.close()
})

test('client certificates are required if the file says so', async () => {
  makeCertificate()
  const web = readWebConfig(
    write(
      'tls_server_config: {cert_file: cert.pem, key_file: key.pem, client_auth_type: RequireAndVerifyClientCert, client_ca_file: cert.pem}',
    ),
  )
  const server = createHttpServer({
    web,
    scrape: fail,
    noScrapeReason: () => undefined,
    status: () => emptyStatus(),
    notReadyReason: () => undefined,
    onRequestError: fail,
  })
  const { port } = await server.listen('127.0.0.1', 0)
  const get = async (client: object) => {
    const request = https.get({
      port,
      host: '127.0.0.1',
      path: '/healthz',
      ca: web.tls?.cert,
      agent: false,
      ...client,
    })
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
    return response.statusCode
  }
  await expect(get({})).rejects.toThrow(/certificate|ECONNRESET|hang up/u)
  expect(await get({ cert: web.tls?.cert, key: web.tls?.key })).toBe(200)
  await server.close()
})

test('users are read, and an empty file configures nothing', () => {
  const hash = hashSync('x', 4)
  expect(readWebConfig(write(`basic_auth_users:\n  prom: ${hash}\n`)).users).toEqual(
    new Map([['prom', hash]]),
  )
  expect(readWebConfig(write(''))).toEqual({})
})

test.each([
  ['basic_auth_users: {prom: secret}', 'basic_auth_users.prom: not a bcrypt hash'],
  ['tls_server_config: {cert_file: a.pem}', 'tls_server_config.key_file: '],
  [
    'tls_server_config: {cert_file: no.pem, key_file: k.pem}',
    'tls_server_config.cert_file: no.pem cannot be read: ENOENT',
  ],
  ['tls_server_config: {cert_file: web.yml, key_file: web.yml}', 'cert_file and key_file cannot be used'],
  [
    'tls_server_config: {cert_file: a, key_file: b, cipher_suites: []}',
    'tls_server_config.cipher_suites: not a supported key',
  ],
  ['tls_server_config: {cert_file: a, key_file: b, client_ca_file: c}', 'must be given together'],
  ['basic_auth: {}', 'basic_auth: not a supported key'],
  ['a: [', 'not YAML'],
])('%s is refused with the file and the cause: %s', (text, cause) => {
  const file = write(text)
  expect(() => readWebConfig(file)).toThrow(`--web-config ${file}: `)
  expect(() => readWebConfig(file)).toThrow(cause)
})

test('a missing file is named', () => {
  expect(() => readWebConfig('/nowhere/web.yml')).toThrow(
    '--web-config /nowhere/web.yml: cannot be read: ENOENT',
  )
})

const fail = (): never => {
  throw new Error('not to be called')
}
