import { readFileSync } from 'node:fs'
import path from 'node:path'
import { createSecureContext, type SecureVersion } from 'node:tls'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { UsageError } from '../config/usage-error.ts'

/** The content of the `--web-config` file. */
export interface WebConfig {
  /** Options for `https.createServer`. Absent: plain HTTP. */
  readonly tls?: TlsConfig
  /** bcrypt hash by user name. Absent: no password. */
  readonly users?: ReadonlyMap<string, string>
}

interface TlsConfig {
  readonly cert: Buffer
  readonly key: Buffer
  readonly ca?: Buffer
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly minVersion: SecureVersion
}

const CLIENT_AUTH = ['NoClientCert', 'RequireAndVerifyClientCert'] as const
const BCRYPT = /^\$2[aby]\$(?:0[4-9]|1\d|2\d|3[01])\$[./A-Za-z0-9]{53}$/u

const schema = z.strictObject({
  tls_server_config: z
    .strictObject({
      cert_file: z.string().min(1),
      key_file: z.string().min(1),
      client_auth_type: z.enum(CLIENT_AUTH).prefault('NoClientCert'),
      client_ca_file: z.string().min(1).optional(),
      min_version: z.enum(['TLS12', 'TLS13']).prefault('TLS12'),
    })
    .refine(
      (tls) => (tls.client_auth_type === 'RequireAndVerifyClientCert') === (tls.client_ca_file !== undefined),
      {
        path: ['client_ca_file'],
        message: 'client_auth_type RequireAndVerifyClientCert and client_ca_file must be given together',
      },
    )
    .optional(),
  basic_auth_users: z
    .record(
      z
        .string()
        .min(1)
        .regex(/^[^:]*$/u, 'a user name has no colon'),
      z.string().regex(BCRYPT, 'not a bcrypt hash ("htpasswd -nBC 10 USER" prints one)'),
    )
    .optional(),
})

/**
 * Reads a web configuration in the format of the Prometheus exporter-toolkit. Supported are the certificate, client
 * certificates and users. Paths in it are relative to the file.
 * Throws a `UsageError` that names the file, the key and the cause, also for a key that is not supported.
 */
export function readWebConfig(file: string): WebConfig {
  const wrong = (cause: string): Error => new UsageError(`--web-config ${file}: ${cause}`)
  const document = parseDocument(readOr(file, (cause) => wrong(`cannot be read: ${cause}`)).toString('utf8'))
  const [fault] = document.errors
  if (fault !== undefined) throw wrong(`not YAML: ${fault.message.split('\n', 1)[0] ?? ''}`)

  const parsed = schema.safeParse(document.toJS() ?? {})
  if (!parsed.success) throw wrong(parsed.error.issues.map(describe).join('; '))
  const { tls_server_config: tls, basic_auth_users: users } = parsed.data
  return {
    ...(tls === undefined ? {} : { tls: readTls(tls) }),
    ...(users === undefined ? {} : { users: new Map(Object.entries(users)) }),
  }

  function readTls(config: NonNullable<typeof tls>): TlsConfig {
    const pem = (key: 'cert_file' | 'key_file' | 'client_ca_file', name: string): Buffer =>
      readOr(path.resolve(path.dirname(file), name), (cause) =>
        wrong(`tls_server_config.${key}: ${name} cannot be read: ${cause}`),
      )
    const verified = config.client_auth_type === 'RequireAndVerifyClientCert'
    const result: TlsConfig = {
      cert: pem('cert_file', config.cert_file),
      key: pem('key_file', config.key_file),
      ...(config.client_ca_file === undefined ? {} : { ca: pem('client_ca_file', config.client_ca_file) }),
      requestCert: verified,
      rejectUnauthorized: verified,
      minVersion: config.min_version === 'TLS13' ? 'TLSv1.3' : 'TLSv1.2',
    }
    try {
      createSecureContext(result)
    } catch (error) {
      throw wrong(`tls_server_config: cert_file and key_file cannot be used: ${(error as Error).message}`)
    }
    return result
  }
}

function readOr(file: string, wrong: (cause: string) => Error): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw Object.assign(wrong((error as NodeJS.ErrnoException).code ?? String(error)), { cause: error })
  }
}

function describe({ code, path, message, ...issue }: z.core.$ZodIssue): string {
  const at = path.map(String).join('.')
  if (code === 'unrecognized_keys' && 'keys' in issue) {
    const keys = issue.keys.map((key) => [...path.map(String), key].join('.'))
    return `${keys.join(', ')}: not a supported key`
  }
  return at === '' ? message : `${at}: ${message}`
}
