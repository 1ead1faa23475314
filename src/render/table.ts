import { NONE_YET } from './format.ts'
import { html, type Html } from './html.ts'

type Cell = string | Html

/** How wide its card has to be for a table to stand as a table; narrower, each row is a list of its cells. */
const widthClass = (columns: number): string =>
  columns > 7 ? 'wide-table' : columns > 5 ? 'mid-table' : columns > 4 ? 'small-table' : ''

/**
 * A table with its caption. The first cell of a row is its heading. A column whose name starts with `#` holds
 * numbers; one without a name holds decoration. A table without rows becomes a line that says `empty`.
 * The roles keep the table a table for screen readers where the style sheet turns its rows into lists.
 */
export function table(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  empty = NONE_YET,
): Html {
  if (rows.length === 0) return html`<p class="soft">${caption}: ${empty}</p>`
  const kinds = columns.map((name) => (name.startsWith('#') ? 'n' : ''))
  const names = columns.map((name) => name.replace(/^#/u, ''))
  const heads = names.map((name, i) =>
    name === ''
      ? html`<td role="cell"></td>`
      : html`<th role="columnheader" scope="col" class="${kinds[i] ?? ''}">${name}</th>`,
  )
  const cells = (row: readonly Cell[]): Html[] =>
    row.map((cell, i) =>
      i === 0
        ? html`<th role="rowheader" scope="row">${cell}</th>`
        : html`<td role="cell" class="${kinds[i] ?? ''}" data-name="${names[i] ?? ''}">${cell}</td>`,
    )
  return html`<table role="table" class="${widthClass(columns.length)}">
    <caption>
      ${caption}
    </caption>
    <thead role="rowgroup">
      <tr role="row">
        ${heads}
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${rows.map(
        (row) =>
          html`<tr role="row">
            ${cells(row)}
          </tr>`,
      )}
    </tbody>
  </table>`
}
