// HEALTHCHECK of the image: requests /healthz at the address in the daemon's own variables.
import http from 'node:http'
import https from 'node:https'
import tls from 'node:tls'
import { parseListen } from '../src/config/units.ts'
import type { WebConfig } from '../src/serve/web-config.ts'

const { AUDIT_LISTEN, AUDIT_WEB_CONFIG } = process.env
const address = parseListen(AUDIT_LISTEN || '127.0.0.1:9464')
if (address === undefined) throw new Error(`AUDIT_LISTEN is not an address: ${AUDIT_LISTEN}`)

/** A wildcard address is reached through the loopback address. */
const hosts: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const target = {
  host: hosts[address.host] ?? address.host,
  port: address.port,
  // The check needs an answer, not a verified identity.
  rejectUnauthorized: false,
}

const healthy = (yes: boolean): never => process.exit(yes ? 0 : 1)
const answered = ({ statusCode }: http.IncomingMessage): never => healthy(statusCode === 200)

// Loaded only if needed, because the check runs every 30 seconds.
const web: WebConfig = AUDIT_WEB_CONFIG
  ? (await import('../src/serve/web-config.ts')).readWebConfig(AUDIT_WEB_CONFIG)
  : {}
const request =
  web.tls === undefined
    ? http.get({ ...target, path: '/healthz' }, answered)
    : web.tls.requestCert
      ? // There is no client certificate here; the server's half of the handshake shows that it answers.
        tls.connect(target, () => healthy(true))
      : https.get({ ...target, path: '/healthz' }, answered)
request.on('error', () => healthy(false))
