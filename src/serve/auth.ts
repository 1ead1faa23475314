import { createHmac, randomBytes } from 'node:crypto'

export type Verdict = 'allowed' | 'refused' | 'busy'

/** A valid hash that no user has. An unknown user is compared with it, so that it takes as long as a wrong password. */
const NOBODY = '$2b$10$C6UzMDM.H6dfI/f/IKcEeO5aD6n1hQd3DkbqYw0oQ0bR9sZ7gYwPa'
const REMEMBERED = 100
const MAX_WAITING = 16

/**
 * HTTP basic authentication against bcrypt hashes by user name. Without users, everything is allowed.
 * Verdicts are cached under a keyed digest of the password, because a bcrypt comparison takes about 100 ms.
 * Comparisons run one after another, and at most `MAX_WAITING` wait: guessing passwords cannot use up the CPU.
 */
export function createBasicAuth(
  users: ReadonlyMap<string, string> | undefined,
): (authorization: string | undefined) => Promise<Verdict> {
  if (users === undefined || users.size === 0) return () => Promise.resolve('allowed')

  const key = randomBytes(32)
  const verdicts = new Map<string, Verdict>()
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()

  async function compare(password: string, hash: string | undefined, digest: string): Promise<Verdict> {
    const known = verdicts.get(digest)
    if (known !== undefined) return known
    const { compare: compareHash } = await import('bcryptjs')
    const matches = await compareHash(password, hash ?? NOBODY)
    const verdict = matches && hash !== undefined ? 'allowed' : 'refused'
    if (verdicts.size >= REMEMBERED) forgetOne()
    verdicts.set(digest, verdict)
    return verdict
  }

  /** Refused ones first: wrong guesses must not evict the correct password. */
  function forgetOne(): void {
    for (const [digest, verdict] of verdicts) {
      if (verdict === 'refused') return void verdicts.delete(digest)
    }
    verdicts.clear()
  }

  return async (authorization) => {
    const credentials = parseCredentials(authorization)
    if (credentials === undefined) return 'refused'
    const { user, password } = credentials
    const hash = users.get(user)
    const digest = createHmac('sha256', key)
      .update(JSON.stringify([user, password]))
      .digest('base64')
    const known = verdicts.get(digest)
    if (known !== undefined) return known
    if (waiting >= MAX_WAITING) return 'busy'
    waiting++
    const verdict = last.then(() => compare(password, hash, digest))
    last = verdict.catch(() => undefined)
    return verdict.finally(() => waiting--)
  }
}

function parseCredentials(authorization: string | undefined): { user: string; password: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/iu.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  return colon < 0 ? undefined : { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}
