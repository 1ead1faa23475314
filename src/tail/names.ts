import type { DirectoryEntry } from './file-system.ts'

const COMPRESSED = /\.(?:gz|bz2|xz|zst|lz4|lzma|lzo|br|zip|7z|Z)$/u
/** Locks and files that are still being written, by their names. */
const TEMPORARY = /\.(?:lock|pid|tmp|temp|part|partial|swp|swo|swx)$|~$/iu

/**
 * What a name says about a file beside a trace: `rotated` is the watched name plus a suffix, as rotation leaves it
 * (`audit_trace.jsonl.1`, `audit_trace.jsonl-20261125`); `compressed` the same, compressed; `undefined` anything else.
 */
export function rotatedKind(name: string, watchedName: string): 'rotated' | 'compressed' | undefined {
  if (!name.startsWith(watchedName) || !/^[._-]./u.test(name.slice(watchedName.length))) return undefined
  if (COMPRESSED.test(name)) return 'compressed'
  return TEMPORARY.test(name) ? undefined : 'rotated'
}

/** Whether the entry of a directory is a file that rotation has left. */
export const isRotatedEntry = ({ name, kind }: DirectoryEntry, fileName: string): boolean =>
  kind === 'file' && rotatedKind(name, fileName) !== undefined
