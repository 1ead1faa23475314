import { z } from 'zod'
import { nonEmpty, onOff } from '../config/fields.ts'
import { flag } from '../config/flags.ts'
import { parseListen } from '../config/units.ts'
import { UsageError } from '../config/usage-error.ts'

const SERVER = 'Temporal server:'

/** `host:port` or `[::1]:port`; unlike an address to listen on, it names a host and a port above 0. */
function isAddress(address: string): boolean {
  const parsed = parseListen(address)
  return parsed !== undefined && parsed.port > 0 && !/^:|\s/.test(address)
}

export const addressFlag = flag(
  { value: '<host:port>', env: 'AUDIT_TEMPORAL_ADDRESS', group: SERVER, help: 'Address of its frontend.' },
  z
    .string()
    .refine(isAddress, {
      error: ({ input }) => `${JSON.stringify(input)} is not host:port, such as 127.0.0.1:7233 or [::1]:7233`,
    })
    .prefault('127.0.0.1:7233'),
)

/** How a Temporal server is reached: the same for `worker` and `collect`. */
export const serverFlags = {
  namespace: flag(
    { value: '<name>', env: 'AUDIT_TEMPORAL_NAMESPACE', group: SERVER, help: 'Its namespace.' },
    nonEmpty.prefault('default'),
  ),
  tls: flag(
    {
      env: 'AUDIT_TEMPORAL_TLS',
      group: SERVER,
      help: 'Encrypt the connection. Implied by --tls-ca, --tls-cert, --tls-key and --api-key.',
    },
    onOff(),
  ),
  tlsCa: flag(
    {
      value: '<file>',
      env: 'AUDIT_TEMPORAL_TLS_CA',
      group: SERVER,
      help: 'PEM file with the authorities to trust. Default: those that Node.js trusts.',
    },
    nonEmpty.optional(),
  ),
  tlsCert: flag(
    {
      value: '<file>',
      env: 'AUDIT_TEMPORAL_TLS_CERT',
      group: SERVER,
      help: 'PEM file with the client certificate.',
    },
    nonEmpty.optional(),
  ),
  tlsKey: flag(
    { value: '<file>', env: 'AUDIT_TEMPORAL_TLS_KEY', group: SERVER, help: 'PEM file with its private key.' },
    nonEmpty.optional(),
  ),
  apiKey: flag(
    {
      value: '<key>',
      env: 'AUDIT_TEMPORAL_API_KEY',
      group: SERVER,
      help: 'API key of Temporal Cloud. Prefer the variable: other users of the machine can see flags.',
    },
    nonEmpty.optional(),
  ),
}

/** Paths of PEM files. */
export interface TlsFiles {
  /** Default: the authorities that Node.js trusts. */
  readonly ca?: string
  readonly client?: { readonly cert: string; readonly key: string }
}

export interface ServerConfig {
  /** host:port of the Temporal frontend. */
  readonly address: string
  readonly namespace: string
  /** Absent: the connection is not encrypted. */
  readonly tls?: TlsFiles
  readonly apiKey?: string
}

interface ServerFlags {
  readonly address: string
  readonly namespace: string
  readonly tls: boolean
  readonly tlsCa?: string | undefined
  readonly tlsCert?: string | undefined
  readonly tlsKey?: string | undefined
  readonly apiKey?: string | undefined
}

/** Checks which flags need each other. Throws a `UsageError` that names the flag and what it needs. */
export function serverConfigOf(flags: ServerFlags): ServerConfig {
  const { address, namespace, apiKey } = flags
  const tls = tlsOf(flags)
  return {
    address,
    namespace,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
  }
}

function tlsOf({ tls, tlsCa: ca, tlsCert: cert, tlsKey: key, apiKey }: ServerFlags): TlsFiles | undefined {
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert: needs --tls-key as well')
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key: needs --tls-cert as well')
  // An API key must not cross the network in plain text.
  const isEncrypted = tls || ca !== undefined || cert !== undefined || apiKey !== undefined
  if (!isEncrypted) return undefined
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert, key } }),
  }
}
