import type { Page, Response } from 'playwright-core'
import { onTestFinished } from 'vitest'
import { createHttpServer, type HttpServer, type ServeDeps } from '../../src/serve/server.ts'
import { openPage } from '../setup/chromium.ts'

export interface Opened {
  readonly page: Page
  /** Everything that its console and its dialogs said, and errors of the server. */
  readonly said: string[]
  readonly server: HttpServer
  /** Of the server. */
  readonly url: string
  readonly response: Response | null
}

/** Serves what a test is about, and opens one path of it in a browser. Nobody scrapes. */
export async function openServed(
  deps: Pick<ServeDeps, 'status' | 'draw' | 'build'>,
  path: string,
  { width, colorScheme }: { readonly width: number; readonly colorScheme: 'light' | 'dark' },
): Promise<Opened> {
  const said: string[] = []
  const server = createHttpServer({
    ...deps,
    scrape: () => Promise.reject(new Error('nobody scrapes here')),
    noScrapeReason: () => undefined,
    notReadyReason: () => undefined,
    onRequestError: (error) => said.push(String(error)),
  })
  onTestFinished(() => server.close())
  const { port } = await server.listen('127.0.0.1', 0)
  const page = await openPage({ viewport: { width, height: 900 }, colorScheme })
  page.on('console', (message) => said.push(message.text()))
  page.on('pageerror', (error) => said.push(String(error)))
  page.on('dialog', (dialog) => said.push(`dialog ${dialog.message()}`))
  const url = `http://127.0.0.1:${port}`
  const response = await page.goto(`${url}${path}`)
  return { page, said, server, url, response }
}
