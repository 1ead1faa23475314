import { readFile } from 'node:fs/promises'
import type { TLSConfig } from '@temporalio/client'
import { UsageError } from '../config/usage-error.ts'
import type { ServerConfig, TlsFiles } from './temporal-server-flags.ts'

/** How to connect: for Temporal's client and its worker alike. */
export interface Server {
  readonly address: string
  readonly tls?: TLSConfig
  readonly apiKey?: string
}

/** Reads the certificates. Throws a `UsageError` that names the flag whose file cannot be read. */
export async function connectionOptions({ address, tls, apiKey }: ServerConfig): Promise<Server> {
  return {
    address,
    ...(tls === undefined ? {} : { tls: await readTls(tls) }),
    ...(apiKey === undefined ? {} : { apiKey }),
  }
}

async function readTls({ ca, client }: TlsFiles): Promise<TLSConfig> {
  return {
    ...(ca === undefined ? {} : { serverRootCACertificate: await read('--tls-ca', ca) }),
    ...(client === undefined
      ? {}
      : {
          clientCertPair: {
            crt: await read('--tls-cert', client.cert),
            key: await read('--tls-key', client.key),
          },
        }),
  }
}

async function read(flag: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file)
  } catch (error) {
    throw new UsageError(`${flag}: cannot read ${file}: ${(error as Error).message}`, { cause: error })
  }
}
