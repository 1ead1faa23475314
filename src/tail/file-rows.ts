import type { Reader, Transaction } from '../state/durable.ts'
import { NO_HEAD, pendingBytes, type FileRecord, type Head, type TrackedFile } from './tracked-file.ts'

/** The records of all files in the state. */
export const readFiles = (state: Reader): FileRecord[] =>
  state.all('SELECT * FROM files LEFT JOIN file_heads ON file_id = id').map(thaw)

export function deleteFile(transaction: Transaction, id: number): void {
  transaction.run('DELETE FROM files WHERE id = ?', id)
  transaction.run('DELETE FROM file_heads WHERE file_id = ?', id)
}

/** Writes the record of a file that has an id. */
export function writeFile(transaction: Transaction, file: TrackedFile): void {
  transaction.run(
    'INSERT OR REPLACE INTO file_heads (file_id, first_line, prefix_bytes, prefix) VALUES (?, ?, ?, ?)',
    file.id ?? null,
    file.firstLine,
    file.prefixBytes,
    file.prefix,
  )
  transaction.run(
    `INSERT OR REPLACE INTO files (id, path, device, inode, birth_ns, modified_ns, position, line, marker, skipping,
       counted, rejected, skipped, pending, rotated, missing_since_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    file.id ?? null,
    file.path,
    String(file.device),
    String(file.inode),
    String(file.birthNs),
    String(file.modifiedNs),
    file.position,
    file.line,
    file.marker,
    file.skipping ? 1 : 0,
    file.counted,
    file.rejected,
    file.skipped,
    pendingBytes(file),
    file.rotated ? 1 : 0,
    file.missingSinceMs ?? null,
  )
}

function thaw(row: Record<string, unknown>): FileRecord {
  const pending = Number(row['pending'])
  return {
    id: Number(row['id']),
    path: String(row['path']),
    device: BigInt(String(row['device'])),
    inode: BigInt(String(row['inode'])),
    birthNs: BigInt(String(row['birth_ns'])),
    // An unfinished line is looked at again: what was seen of it is not kept.
    modifiedNs: pending > 0 ? -1n : BigInt(String(row['modified_ns'])),
    position: Number(row['position']),
    line: Number(row['line']),
    marker: String(row['marker']),
    skipping: row['skipping'] === 1,
    counted: Number(row['counted']),
    rejected: Number(row['rejected']),
    skipped: Number(row['skipped']),
    rotated: row['rotated'] === 1,
    missingSinceMs: row['missing_since_ms'] === null ? undefined : Number(row['missing_since_ms']),
    head: thawHead(row),
  }
}

/** A file of a state that kept no heads has none. */
export function thawHead(row: Record<string, unknown>): Head {
  const { first_line: firstLine, prefix_bytes: prefixBytes, prefix } = row
  if (typeof firstLine !== 'string') return NO_HEAD
  return { firstLine, prefixBytes: Number(prefixBytes), prefix: String(prefix) }
}
