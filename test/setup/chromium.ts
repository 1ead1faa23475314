import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { IN_VAIN_MS } from './process.ts'
import { requireProgram } from './programs.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

let browser: Promise<Browser> | undefined

/**
 * Opens a page with an empty profile in the headless browser that all tests of a file share. The page is closed
 * with its test, the browser by `closeChromium`.
 */
export async function openPage(options: BrowserContextOptions): Promise<Page> {
  const executablePath = requireProgram('chromium')
  browser ??= chromium.launch({ executablePath, headless: true, args: FLAGS, timeout: IN_VAIN_MS })
  const context = await (await browser).newContext(options)
  context.setDefaultTimeout(IN_VAIN_MS)
  onTestFinished(() => context.close())
  return context.newPage()
}

/** Call it after all tests of a file. */
export const closeChromium = async (): Promise<void> => (await browser)?.close()
