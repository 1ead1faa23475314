import { html, type Html } from './html.ts'

/** A card with its heading. `kind` is a further CSS class; `id` names the card for its parts. */
export const card = (id: string, title: string, content: Html | readonly Html[], kind = ''): Html =>
  html`<section class="card ${kind}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${content}
  </section>`

/** A chart with its caption. */
export const figure = (caption: string, chart: Html): Html =>
  html`<figure>
    <figcaption>${caption}</figcaption>
    ${chart}
  </figure>`

/** One large figure with its name and a note. A figure without digits is shown smaller. */
export const tile = (name: string, value: string, note: string): Html =>
  html`<div>
    <dt>${name}</dt>
    <dd class="figure ${/\d/u.test(value) ? '' : 'none'}">${value}</dd>
    <dd><small>${note}</small></dd>
  </div>`
