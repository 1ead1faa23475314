import type { DuckDBAppender, DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api'

const CHUNK_ROWS = 2_048

/** A table to which rows are added. */
export interface Table {
  add(row: object): void
  flush(): void
  /** Nothing can be added any more. */
  close(): void
}

/** Creates the table. Rows that are added are passed on in chunks. */
export async function createTable(
  duckDb: typeof import('@duckdb/node-api'),
  connection: DuckDBConnection,
  name: string,
  columns: Readonly<Record<string, 'VARCHAR' | 'DOUBLE' | 'INTEGER'>>,
): Promise<Table> {
  const declared = Object.entries(columns).map(([column, type]) => `${column} ${type}`)
  await connection.run(`CREATE TABLE ${name} (${declared.join(', ')})`)
  const names = Object.keys(columns)
  const types: DuckDBType[] = Object.values(columns).map((type) => duckDb[type])
  const appender: DuckDBAppender = await connection.createAppender(name)
  let waiting: DuckDBValue[][] = []
  let isClosed = false
  function append(): void {
    if (waiting.length === 0) return
    const chunk = duckDb.DuckDBDataChunk.create(types)
    chunk.setRows(waiting)
    appender.appendDataChunk(chunk)
    waiting = []
  }
  return {
    add(row) {
      waiting.push(names.map((column) => (row as Record<string, unknown>)[column] as DuckDBValue))
      if (waiting.length === CHUNK_ROWS) append()
    },
    flush() {
      append()
      if (!isClosed) appender.flushSync()
    },
    close() {
      appender.closeSync()
      isClosed = true
    },
  }
}
