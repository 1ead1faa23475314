import { createHash } from 'node:crypto'
import { CHART_STYLE } from '../charts/style.ts'
import { escapeHtml, type Html, html } from '../render/html.ts'
import { BASE_STYLE } from '../render/style.ts'
import { PAGE_SCRIPT } from './page-script.ts'

const STYLE = `${BASE_STYLE}${CHART_STYLE}`

const sha256 = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** Allows no external resources, and only the page's own script and style. */
export const PAGE_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src ${sha256(PAGE_SCRIPT)}`,
  `style-src ${sha256(STYLE)}`,
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** A whole self-contained page. `isLive`: it updates itself, with or without scripts. */
export function document(title: string, header: Html, main: Html, isLive = false): string {
  const content = html`<div class="wrap">
    <a class="skip" href="#main">Skip to the figures</a>
    <header>${header}</header>
    <div id="stale" role="status"></div>
    <main id="main">${main}</main>
  </div>`
  // Not through `html`: the hashes in the security policy are those of the unescaped script and style.
  const reload = isLive ? '<noscript><meta http-equiv="refresh" content="15"></noscript>' : ''
  const script = isLive ? `<script>${PAGE_SCRIPT}</script>` : ''
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title><style>${STYLE}</style>${reload}</head><body>${content.markup}${script}</body></html>`
}
