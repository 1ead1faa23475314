import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * The environment in which the real Gemini CLI talks to a local API: its own home directory below `dir`, one attempt
 * per call (the CLI's own retries take minutes), no usage statistics.
 */
export function geminiEnvironment(dir: string, apiUrl: string): NodeJS.ProcessEnv {
  const home = path.join(dir, 'home')
  mkdirSync(path.join(home, '.gemini'), { recursive: true })
  const settings = {
    security: { auth: { selectedType: 'gemini-api-key' } },
    privacy: { usageStatisticsEnabled: false },
    general: { maxAttempts: 1, enableAutoUpdate: false },
  }
  writeFileSync(path.join(home, '.gemini', 'settings.json'), JSON.stringify(settings))
  return {
    PATH: process.env['PATH'],
    HOME: home,
    // The CLI writes its reports of API errors there.
    TMPDIR: home,
    GEMINI_API_KEY: 'a-key-for-the-local-api',
    GOOGLE_GEMINI_BASE_URL: apiUrl,
  }
}
