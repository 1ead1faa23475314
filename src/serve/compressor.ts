import { constants, createGzip, type Gzip, type ZlibReset } from 'node:zlib'

/** Compresses a text with gzip. */
export type Compress = (text: string) => Promise<Buffer>

/**
 * Compresses one text after another with one compressor. What a compressor has outside of the heap is freed by a full
 * collection only, and an exporter at rest makes few of them: one for each response made it grow by 12 MB (decisions/211).
 */
export function createCompressor(): Compress {
  let reused: Member | undefined
  let before: Promise<unknown> = Promise.resolve()

  async function compress(text: string): Promise<Buffer> {
    reused ??= beginMembers()
    const { gzip, chunks } = reused
    try {
      await finish(gzip, text)
      gzip.reset()
      return Buffer.concat(chunks.splice(0))
    } catch (error) {
      reused = undefined
      throw error
    }
  }

  return (text) => {
    const compressed = before.then(() => compress(text))
    before = compressed.catch(() => undefined)
    return compressed
  }
}

interface Member {
  readonly gzip: Gzip & ZlibReset
  /** What has come out of it. */
  readonly chunks: Buffer[]
}

function beginMembers(): Member {
  const chunks: Buffer[] = []
  // It has the method; the types lack it.
  const gzip = createGzip({ level: 1 }) as Member['gzip']
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk))
  // Whoever waits for the end gets it, too.
  gzip.on('error', () => undefined)
  return { gzip, chunks }
}

/** Writes the text and the end of its member; resolves when all of it has come out. */
async function finish(gzip: Gzip, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  gzip.write(text)
  gzip.flush(constants.Z_FINISH, (...[error]: (Error | null | undefined)[]) =>
    error === null || error === undefined ? resolve() : reject(error),
  )
  await promise
  while (gzip.readableLength > 0) gzip.read()
}
