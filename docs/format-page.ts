import { parseLine } from '../src/entry/parse.ts'

/** A row of the table of docs/format.md: part of a line, the answer, and the cause or a note. */
export interface FormatCase {
  /** The whole line, with the part in question as its last field. */
  readonly line: string
  readonly isRead: boolean
  readonly note: string
}

const ROW = /^\| `(.+)` \| (read|refused) \| ?(.*?) ?\|$/gmu
const INCLUDE = /^<!-- (docs\/\S+\.(\w+)) -->\n(?:\n```\w+\n[^]*?\n```\n)?/gmu

const wholeLine = (part: string): string =>
  `{"workflow_run_id":"build-7","step_name":"implement","timestamp":"2026-11-20T10:00:00.000Z",${part}}`

/** The table of docs/format.md. */
export const formatCases = (page: string): FormatCase[] =>
  [...page.matchAll(ROW)].map(([, part = '', answer, note = '']) => ({
    line: wholeLine(part),
    isRead: answer === 'read',
    note,
  }))

/** docs/format.md with the writers that it names, and the reader's causes in the rows of lines that are refused. */
export function completeFormatPage(page: string, read: (file: string) => string): string {
  const withWriters = page.replaceAll(
    INCLUDE,
    (_, file: string, language: string) =>
      `<!-- ${file} -->\n\n\`\`\`${language === 'py' ? 'python' : language}\n${read(file).trimEnd()}\n\`\`\`\n`,
  )
  return withWriters.replaceAll(ROW, (row: string, part: string, answer: string) => {
    const parsed = parseLine(wholeLine(part))
    return parsed.ok || answer === 'read' ? row : `| \`${part}\` | ${answer} | ${parsed.fault.cause} |`
  })
}
