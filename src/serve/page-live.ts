import { html, type Html } from '../render/html.ts'
import { card } from '../render/parts.ts'

/** A card whose content the page's script keeps up to date. `kind` is a further CSS class. */
export const liveCard = (id: string, title: string, content: Html | readonly Html[], kind = ''): Html =>
  card(id, title, html`<div id="${id}" data-live>${content}</div>`, kind)
