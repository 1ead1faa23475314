// HEALTHCHECK of the image: asks /healthz where the daemon's own variables say that it listens.
import http from 'node:http'
import https from 'node:https'
import tls from 'node:tls'
import { parseListen } from '../src/config/units.ts'
import type { WebConfig } from '../src/serve/web-config.ts'

const { AUDIT_LISTEN, AUDIT_WEB_CONFIG } = process.env
const address = parseListen(AUDIT_LISTEN || '127.0.0.1:9464')
if (address === undefined) throw new Error(`AUDIT_LISTEN is no address: ${AUDIT_LISTEN}`)

/** Where everything is listened to, this machine is. */
const hosts: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
const target = {
  host: hosts[address.host] ?? address.host,
  port: address.port,
  // It asks whether the daemon answers, not who it is.
  rejectUnauthorized: false,
}

const healthy = (yes: boolean): never => process.exit(yes ? 0 : 1)
const answered = ({ statusCode }: http.IncomingMessage): never => healthy(statusCode === 200)

// Loaded only where needed: this runs every 30 seconds.
const web: WebConfig = AUDIT_WEB_CONFIG
  ? (await import('../src/serve/web-config.ts')).readWebConfig(AUDIT_WEB_CONFIG)
  : {}
const request =
  web.tls === undefined
    ? http.get({ ...target, path: '/healthz' }, answered)
    : web.tls.requestCert
      ? // Nobody has a client's certificate here; the server's half of the handshake shows that it answers.
        tls.connect(target, () => healthy(true))
      : https.get({ ...target, path: '/healthz' }, answered)
request.on('error', () => healthy(false))
