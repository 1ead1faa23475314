import type { History } from './history.ts'

/** What stands in or beside the files and is not in the history, or that there are no files: one sentence each. */
export function leftOut(
  { files, unfinished, rotated }: Pick<History, 'files' | 'unfinished' | 'rotated'>,
  { paths, fileName }: { readonly paths: readonly string[]; readonly fileName: string },
): string[] {
  const told: string[] = []
  if (files.length === 0) told.push(`No ${fileName} was found below ${paths.join(', ')}.`)
  if (unfinished.lines > 0) {
    told.push(
      `${unfinished.lines} last lines without a newline (${unfinished.bytes} bytes) are left out: they may still be written.`,
    )
  }
  const [example] = rotated
  if (example !== undefined) {
    told.push(
      `${rotated.length} rotated files beside the traces were not read, such as ${example}: give them as paths too.`,
    )
  }
  return told
}
