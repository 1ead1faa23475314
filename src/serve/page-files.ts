import { bytes, count, duration } from './format.ts'
import { html, type Html } from './html.ts'
import { table } from './page-table.ts'
import type { FileView, StatusView } from './status.ts'

const SHOWN = 200

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

/** Every byte's whereabouts: for a file in balance, its size is the sum of the five columns that follow. */
export function filesCard(view: StatusView): Html {
  const shown = view.files.toSorted(byInterest).slice(0, SHOWN)
  const more = view.files.length - shown.length
  const caption =
    'Size = counted + rejected + skipped + pending + lag. Failing files first, then lagging, pending and the latest read.'
  return html`<section class="card wide" aria-labelledby="files-title">
    <h2 id="files-title">Files</h2>
    <div class="scroll" id="files" data-live tabindex="0" role="region" aria-labelledby="files-title">
      <p class="soft">${summary(view)}</p>
      ${table(
        caption,
        COLUMNS,
        shown.map((file) => row(file, view.nowMs)),
        'none found yet',
      )}
      ${more > 0 ? html`<p class="soft">and ${count(more)} more</p>` : ''}
    </div>
  </section>`
}

function summary({ files, roots }: StatusView): string {
  const total = (of: (file: FileView) => number): string =>
    bytes(files.reduce((sum, file) => sum + of(file), 0))
  const failing = files.filter(({ state }) => state === 'failing').length
  return `${count(files.length)} files below ${roots.map(({ path }) => path).join(', ')}: ${total((f) => f.sizeBytes)}, of which ${total((f) => f.lagBytes)} not yet read and ${total((f) => f.pendingBytes)} in unfinished lines${failing > 0 ? `; ${count(failing)} failing` : ''}.`
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
    count(file.line),
    file.lastReadAtMs === undefined ? 'not yet' : `${duration(nowMs - file.lastReadAtMs)} ago`,
  ]
}

/** Exact in the tip, short in the cell. */
const bytesCell = (value: number): Html => html`<span title="${count(value)} bytes">${bytes(value)}</span>`

function notes(file: FileView): Html[] {
  const off = file.sizeBytes - accounted(file)
  return [
    ...(file.error === undefined ? [] : [html`<div class="fail">${file.error}</div>`]),
    ...(off === 0 ? [] : [html`<div class="fail">out of balance by ${count(off)} bytes</div>`]),
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
