import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** Everything that is wider than its room, of the page itself and of the drawings. Table heads that only readers of the screen see are small on purpose. */
const CLIPPED = `(() => {
  const faults = []
  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways')
  for (const part of document.querySelectorAll('body *:not(thead):not(thead *)')) {
    if (part.closest('svg') || part.clientWidth === 0 || part.scrollWidth <= part.clientWidth + 1) continue
    faults.push(part.tagName + '#' + part.id + '.' + part.className + ' is ' + part.scrollWidth + ' wide in ' + part.clientWidth)
  }
  for (const chart of document.querySelectorAll('svg.chart')) {
    const room = chart.getBoundingClientRect()
    for (const part of chart.querySelectorAll('text, path, circle, rect')) {
      const { left, right, top, bottom, width, height } = part.getBoundingClientRect()
      if (width === 0 && height === 0) continue
      if (left < room.left - 1 || right > room.right + 1 || top < room.top - 1 || bottom > room.bottom + 1)
        faults.push((part.textContent || part.tagName) + ' stands out of ' + chart.getAttribute('aria-label'))
    }
  }
  return faults
})()`

const AXE = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => 'axe: ' + id + ': ' + nodes.map(({ html }) => html).join(' ').slice(0, 500)))`

/** What is wrong with an open page: whatever is cut off or makes it scroll sideways, and every violation that axe-core finds. */
export async function pageFaults(page: Page): Promise<string[]> {
  const clipped = await page.evaluate<string[]>(CLIPPED)
  await page.evaluate(axe.source)
  return [...clipped, ...(await page.evaluate<string[]>(AXE))]
}

/** The widths and colours in which each page is looked at. */
export const LOOKS = [400, 1000].flatMap((width) =>
  (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })),
)
