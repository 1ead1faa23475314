import { diag, DiagLogLevel } from '@opentelemetry/api'
import { expect, onTestFinished, test } from 'vitest'
import { createExporter } from '../../src/push/exporter.ts'
import { pushSettings } from '../../src/push/settings.ts'

test('the diagnostics of a program around the exporter still reach its logger, at its level', () => {
  const heard: string[] = []
  const hear = (message: string): void => void heard.push(message)
  diag.setLogger(
    { error: hear, warn: hear, info: hear, debug: hear, verbose: hear },
    { logLevel: DiagLogLevel.INFO, suppressOverrideMessage: true },
  )
  onTestFinished(() => diag.disable())
  const settings = pushSettings({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' })
  if (settings === undefined) throw new Error('no settings')
  heard.length = 0
  createExporter(settings)
  diag.error('broken')
  diag.warn('odd')
  diag.info('started')
  diag.debug('detail')
  expect(heard).toEqual(['broken', 'odd', 'started'])
})
