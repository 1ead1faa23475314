import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { stringify } from 'yaml'
import { freePort } from './free-port.ts'
import { start, until } from './process.ts'
import { requireProgram } from './programs.ts'

/** One alert of one notification, as Alertmanager's webhook delivers it. */
export interface Notified {
  readonly status: 'firing' | 'resolved'
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface Alertmanager {
  /** `host:port`, for Prometheus. */
  readonly address: string
  /** Every alert that reached the webhook so far, in order. */
  readonly notified: readonly Notified[]
  stop(): Promise<void>
}

/** Starts a real Alertmanager on a free port that notifies a webhook of the test at once. */
export async function startAlertmanager(): Promise<Alertmanager> {
  const program = requireProgram('prometheus-alertmanager')
  const notified: Notified[] = []
  const webhook = http.createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      notified.push(...(JSON.parse(text) as { alerts: Notified[] }).alerts)
      response.end()
    })
  })
  await once(webhook.listen(0, '127.0.0.1'), 'listening')
  const directory = mkdtempSync(path.join(tmpdir(), 'alertmanager-'))
  const config = path.join(directory, 'alertmanager.yml')
  writeFileSync(config, stringify(configuration((webhook.address() as AddressInfo).port)))
  const address = `127.0.0.1:${await freePort()}`
  const running = start(program, [
    `--config.file=${config}`,
    `--storage.path=${path.join(directory, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
    '--log.level=warn',
  ])
  const stop = async (): Promise<void> => {
    await running.stop()
    webhook.close()
    webhook.closeAllConnections()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await until(
      'Alertmanager is ready',
      async () => (await fetch(`http://${address}/-/ready`)).ok || undefined,
      {
        detail: running.output,
      },
    )
  } catch (error) {
    await stop()
    throw error
  }
  return { address, notified, stop }
}

const configuration = (webhookPort: number): object => ({
  route: {
    receiver: 'test',
    group_wait: '0s',
    group_interval: '1s',
    repeat_interval: '1h',
    group_by: ['...'],
  },
  receivers: [
    {
      name: 'test',
      webhook_configs: [{ url: `http://127.0.0.1:${webhookPort}/`, send_resolved: true }],
    },
  ],
})
