import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { DuckDBInstance } from '@duckdb/node-api'
import { requireProgram } from '../setup/programs.ts'
import { requirePythonPackage } from '../setup/python-package.ts'

export type Row = Readonly<Record<string, string | number | null>>
/** All rows of each view. */
export type Tables = Readonly<Record<string, readonly Row[]>>

/** What an engine is asked: statements, one after the other, then all rows of these views in each period. */
export interface Question {
  /** A pattern for directories of rows. */
  readonly rows: string
  readonly statements: readonly string[]
  /** Statements that replace the view `period`. */
  readonly periods: readonly string[]
  readonly views: readonly string[]
}

const SQL = path.resolve(import.meta.dirname, '../../docs/sql')

/** The statements of files of docs/sql. */
export const statementsOf = (...files: readonly string[]): string[] =>
  files.flatMap((file) =>
    readFileSync(path.join(SQL, file), 'utf8')
      .split(/;\s*$/mu)
      .filter((statement) => statement.trim() !== ''),
  )

export async function askDuckDb({ rows, statements, periods, views }: Question): Promise<Tables[]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(`SET VARIABLE rows = '${rows}'`)
    for (const statement of statements) await connection.run(statement)
    const answers: Tables[] = []
    for (const period of periods) {
      await connection.run(period)
      const tables: Record<string, Row[]> = {}
      for (const view of views) {
        const read = await connection.runAndReadAll(`SELECT * FROM ${view}`)
        tables[view] = read.getRowObjectsJS().map(withNumbers)
      }
      answers.push(tables)
    }
    return answers
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const withNumbers = (row: Record<string, unknown>): Row =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : (value as string | number | null),
    ]),
  )

export async function askSpark(question: Question): Promise<Tables[]> {
  requireProgram('java')
  const { python, directory } = await requirePythonPackage('pyspark==4.2.1')
  return askPython(python, directory, 'spark.py', question)
}

export async function askClickHouse(question: Question): Promise<Tables[]> {
  const { python, directory } = await requirePythonPackage('chdb-core-lite==26.5.0', { dependencies: false })
  return askPython(python, directory, 'clickhouse.py', question)
}

/** Runs a program beside this file that reads a question and prints an answer for each period. */
async function askPython(
  python: string,
  packages: string,
  program: string,
  question: Question,
): Promise<Tables[]> {
  const asked = promisify(execFile)(python, [path.join(import.meta.dirname, program)], {
    env: { ...process.env, PYTHONPATH: packages },
    maxBuffer: 1 << 26,
  })
  asked.child.stdin?.end(JSON.stringify(question))
  const { stdout } = await asked
  return JSON.parse(stdout) as Tables[]
}
