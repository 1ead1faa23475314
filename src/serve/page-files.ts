import { bytes, counted, duration, number } from '../render/format.ts'
import { html, type Html } from '../render/html.ts'
import { table } from '../render/table.ts'
import { liveCard } from './page-live.ts'
import type { FileView, StatusView } from './status.ts'

const SHOWN = 50

const COLUMNS = [
  'File',
  'State',
  '#Size',
  '#Counted',
  '#Rejected',
  '#Skipped',
  '#Pending',
  '#Lag',
  '#Lines',
  '#Last read',
] as const

/** The files and what became of their bytes. The size of a file in balance is the sum of the next five columns. */
export function filesCard(view: StatusView): Html {
  const shown = view.files.toSorted(byInterest).slice(0, SHOWN)
  const more = view.files.length - shown.length
  const caption =
    'Size = counted + rejected + skipped + pending + lag. Failing files first, then lagging, pending and the latest read'
  return liveCard(
    'files',
    'Files',
    html`<p class="soft">${summary(view)}</p>
      ${table(
        caption,
        COLUMNS,
        shown.map((file) => row(file, view.nowMs)),
        'none found yet',
      )}
      ${more > 0 ? html`<p class="soft">and ${number(more)} more</p>` : ''}`,
    'wide',
  )
}

function summary({ files, roots }: StatusView): string {
  const total = (of: (file: FileView) => number): string =>
    bytes(files.reduce((sum, file) => sum + of(file), 0))
  const failing = files.filter(({ state }) => state === 'failing').length
  return `${counted(files.length, 'file')} below ${roots.map(({ path }) => path).join(', ')}: ${total((f) => f.sizeBytes)}, of which ${total((f) => f.lagBytes)} not yet read and ${total((f) => f.pendingBytes)} in unfinished lines${failing > 0 ? `; ${number(failing)} failing` : ''}.`
}

function row(file: FileView, nowMs: number): (string | Html)[] {
  return [
    html`<span class="path">${file.path}</span>${notes(file)}`,
    html`<span class="tag ${file.state}">${file.state}</span>`,
    bytesCell(file.sizeBytes),
    bytesCell(file.countedBytes),
    bytesCell(file.rejectedBytes),
    bytesCell(file.skippedBytes),
    bytesCell(file.pendingBytes),
    bytesCell(file.lagBytes),
    number(file.line),
    lastRead(file, nowMs),
  ]
}

/** The time of a read is not kept over a restart, the offset is. */
function lastRead(file: FileView, nowMs: number): string {
  if (file.lastReadAtMs !== undefined) return `${duration(nowMs - file.lastReadAtMs)} ago`
  if (file.lagBytes === 0 && file.sizeBytes > 0) return 'before this start'
  return 'not yet'
}

/** Rounded in the cell, exact in its tooltip. */
const bytesCell = (value: number): Html =>
  html`<span title="${counted(value, 'byte')}">${bytes(value)}</span>`

function notes(file: FileView): Html[] {
  const off = file.sizeBytes - accounted(file)
  return [
    ...(file.error === undefined ? [] : [html`<div class="fail">${file.error}</div>`]),
    ...(off === 0 ? [] : [html`<div class="fail">out of balance by ${counted(off, 'byte')}</div>`]),
  ]
}

const accounted = (file: FileView): number =>
  file.countedBytes + file.rejectedBytes + file.skippedBytes + file.pendingBytes + file.lagBytes

const byInterest = (a: FileView, b: FileView): number =>
  Number(b.state === 'failing') - Number(a.state === 'failing') ||
  b.lagBytes - a.lagBytes ||
  b.pendingBytes - a.pendingBytes ||
  (b.lastReadAtMs ?? 0) - (a.lastReadAtMs ?? 0) ||
  (a.path < b.path ? -1 : 1)
