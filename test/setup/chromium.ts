import { chromium, type Browser } from 'playwright-core'
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

/** A headless browser with an empty profile; the caller closes it. */
export const startChromium = (): Promise<Browser> =>
  chromium.launch({ executablePath: requireProgram('chromium'), headless: true, args: FLAGS })
