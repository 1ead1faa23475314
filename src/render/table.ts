import { NONE_YET } from './format.ts'
import { html, type Html } from './html.ts'

type Cell = string | Html

/**
 * A table with its caption. The first cell of a row is its heading. A column whose name starts with `#` holds
 * numbers; one without a name holds decoration. A table without rows becomes a line that says `empty`.
 */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  empty = NONE_YET,
): Html {
  if (rows.length === 0) return html`<p class="soft">${caption}: ${empty}</p>`
  const kinds = columns.map((name) => (name.startsWith('#') ? 'n' : ''))
  const heads = columns.map((name, i) =>
    name === ''
      ? html`<td></td>`
      : html`<th scope="col" class="${kinds[i] ?? ''}">${name.replace(/^#/u, '')}</th>`,
  )
  const cells = (row: readonly Cell[]): Html[] =>
    row.map((cell, i) =>
      i === 0 ? html`<th scope="row">${cell}</th>` : html`<td class="${kinds[i] ?? ''}">${cell}</td>`,
    )
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        ${heads}
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        (row) =>
          html`<tr>
            ${cells(row)}
          </tr>`,
      )}
    </tbody>
  </table>`
}
