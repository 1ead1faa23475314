import { execFile, execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startDaemon } from '../setup/daemon.ts'
import { freePort } from '../setup/free-port.ts'

const root = path.resolve(import.meta.dirname, '../..')
const directory = mkdtempSync(path.join(tmpdir(), 'healthcheck-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Runs the program of the health check and returns its exit code. */
async function check(env: Readonly<Record<string, string>>): Promise<number> {
  const program = path.join(root, 'docker/healthcheck.ts')
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program], { env: { ...process.env, ...env } }, () =>
      resolve(child.exitCode ?? -1),
    )
  })
}

const daemon = async (webConfig?: string) =>
  startDaemon({
    roots: [path.join(directory, 'builds')],
    state: mkdtempSync(path.join(directory, 'state-')),
    args: webConfig === undefined ? [] : ['--web-config', webConfig],
  })

/** A web configuration with a self-signed certificate. */
function webConfig(more = ''): string {
  const output = ['-keyout', path.join(directory, 'key.pem'), '-out', path.join(directory, 'cert.pem')]
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=nobody', ...output],
    { stdio: 'ignore' },
  )
  const file = path.join(directory, 'web.yml')
  writeFileSync(file, `tls_server_config: { cert_file: cert.pem, key_file: key.pem${more} }\n`)
  return file
}

test('a daemon on another port is healthy, and unhealthy once it is gone', async () => {
  const running = await daemon()
  expect(await check({ AUDIT_LISTEN: running.address })).toBe(0)
  // The value in the image: all interfaces.
  expect(await check({ AUDIT_LISTEN: `:${new URL(running.url).port}` })).toBe(0)
  await running.stop()
  expect(await check({ AUDIT_LISTEN: running.address })).toBe(1)
})

test.each([
  ['with a certificate', ''],
  [
    'that demands a certificate of its clients',
    ', client_auth_type: RequireAndVerifyClientCert, client_ca_file: cert.pem',
  ],
])('a daemon %s is healthy, and unhealthy once it is gone', async (_, more) => {
  const web = webConfig(more)
  const running = await daemon(web)
  expect(running.url).toMatch(/^https:/)
  const env = { AUDIT_LISTEN: running.address, AUDIT_WEB_CONFIG: web }
  expect(await check(env)).toBe(0)
  expect(await check({ ...env, AUDIT_WEB_CONFIG: '' })).toBe(1)
  await running.stop()
  expect(await check(env)).toBe(1)
})

test('an error response and an invalid address are unhealthy', async () => {
  const server = http.createServer((_, response) => response.writeHead(500).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  expect(await check({ AUDIT_LISTEN: `127.0.0.1:${(server.address() as AddressInfo).port}` })).toBe(1)
  server.close()
  expect(await check({ AUDIT_LISTEN: `127.0.0.1:${await freePort()}` })).toBe(1)
  expect(await check({ AUDIT_LISTEN: 'nowhere' })).toBe(1)
})
