import { readFile } from 'node:fs/promises'

/** `undefined` for text that is no JSON, such as the incomplete last line of a killed writer. */
export function parseJson(text: string): unknown {
  try {
    return (JSON.parse(text) as unknown) ?? undefined
  } catch {
    return undefined
  }
}

/** The values of a text with one JSON value per line. Other lines are left out. */
export const parseJsonLines = (text: string): unknown[] =>
  text.split('\n').flatMap((line) => {
    const value = parseJson(line)
    return value === undefined ? [] : [value]
  })

/** Empty if the file cannot be read. */
export const readText = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')
