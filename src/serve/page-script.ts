/**
 * Keeps the page up to date: fetches the page again and replaces the content of the parts marked `data-live` that changed.
 * The parts themselves stay, and with them the scroll position; a link that had the focus gets it again. A text selection or a hidden tab pauses it.
 */
export const PAGE_SCRIPT = `
const stale = document.getElementById('stale')
const parser = new DOMParser()
async function refresh() {
  if (document.hidden || getSelection()?.type === 'Range') return
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(4000) })
    if (!answer.ok) throw new Error('HTTP ' + answer.status)
    const fresh = parser.parseFromString(await answer.text(), 'text/html')
    for (const part of document.querySelectorAll('[data-live]')) {
      const next = fresh.getElementById(part.id)
      if (next === null || (next.innerHTML === part.innerHTML && next.className === part.className)) continue
      part.className = next.className
      const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute('href') : null
      part.replaceChildren(...next.childNodes)
      if (focused !== null) part.querySelector('a[href="' + CSS.escape(focused) + '"]')?.focus()
    }
    document.title = fresh.title
    if (stale.textContent !== '') stale.textContent = ''
  } catch {
    const warning = 'The exporter does not answer: these figures are no longer up to date.'
    if (stale.textContent !== warning) stale.textContent = warning
  }
}
async function keepFresh() {
  await refresh()
  setTimeout(keepFresh, 5000)
}
setTimeout(keepFresh, 5000)
`
