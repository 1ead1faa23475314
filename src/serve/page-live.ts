import { html, type Html } from '../render/html.ts'
import { card } from '../render/parts.ts'

/** A card whose content the page's script keeps up to date. `kind` is a further CSS class. */
export const liveCard = (id: string, title: string, content: Html | readonly Html[], kind = ''): Html =>
  card(
    id,
    title,
    html`<div class="scroll" id="${id}" data-live tabindex="0" role="region" aria-labelledby="${id}-title">
      ${content}
    </div>`,
    kind,
  )
