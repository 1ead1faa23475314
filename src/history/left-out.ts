import { counted } from '../render/format.ts'
import type { History } from './history.ts'

/** Describes what was not read, one sentence for each kind; also says if there are no files. */
export function leftOut(
  {
    files,
    unfinished,
    rotated,
  }: Pick<History, 'unfinished' | 'rotated'> & { readonly files: { readonly length: number } },
  { paths, fileName }: { readonly paths: readonly string[]; readonly fileName: string },
): string[] {
  const sentences: string[] = []
  if (files.length === 0) sentences.push(`No ${fileName} was found below ${paths.join(', ')}.`)
  if (unfinished.lines > 0) {
    sentences.push(
      `Left out, because they may be incomplete: ${counted(unfinished.lines, 'last line')} without a newline (${counted(unfinished.bytes, 'byte')}).`,
    )
  }
  const [example] = rotated
  if (example !== undefined) {
    sentences.push(
      `Not read: ${counted(rotated.length, 'rotated file')} next to the traces, such as ${example}. Pass them as paths to include them.`,
    )
  }
  return sentences
}
