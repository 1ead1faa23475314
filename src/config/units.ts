const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, kB: 1e3, MB: 1e6, GB: 1e9 } as const

/** A hundred years: moments this long before or after now can still be represented. */
const MAX_DURATION_MS = 36_500 * DURATION_UNITS.d

/** Parses `1h`, `30s`, `500ms` or `1h30m` to milliseconds; `undefined` for anything else and for more than 36500d. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  let total = 0
  for (const [, number, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    total += Number(number) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]
  }
  return total <= MAX_DURATION_MS ? total : undefined
}

/** Parses `16MiB`, `64kB` or `1000` to bytes; `undefined` for anything else. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|KiB|MiB|GiB|kB|MB|GB)?$/.exec(text)
  if (match === null) return undefined
  return Math.floor(Number(match[1]) * SIZE_UNITS[(match[2] ?? 'B') as keyof typeof SIZE_UNITS])
}

/** Parses `host:port`, `[::1]:port` or `:port` (all interfaces); `undefined` for anything else. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  return port > 65_535 ? undefined : { host: match[1] ?? (match[2] || '0.0.0.0'), port }
}
