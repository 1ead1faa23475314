import { once } from 'node:events'
import { renameSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import type { Life } from './lives.ts'

export interface Pods {
  /** Writes the present pods as targets of a Prometheus. */
  writeTargets(file: string): void
  /** How many pods have been scraped so far. */
  scraped(): number
  stop(): void
}

interface Place {
  generation: number
  startedMs: number
  life: Life
}

/** Serves recorded lives as so many pods at once. Where one ends the next one starts, under another name. */
export async function servePods(lives: readonly Life[], number: number): Promise<Pods> {
  const lifeOf = (place: number, generation: number): Life => lives[(place * 7 + generation) % lives.length]!
  const nowMs = performance.now()
  // Pods that are there at the start are of all ages.
  const places = Array.from({ length: number }, (_, i): Place => {
    const life = lifeOf(i, 0)
    return { generation: 0, startedMs: nowMs - (life.durationMs * ((i * 31) % number)) / number, life }
  })
  const names = new Set<string>()
  function present(i: number): Place {
    const place = places[i]!
    while (performance.now() >= place.startedMs + place.life.durationMs) {
      place.startedMs += place.life.durationMs
      place.life = lifeOf(i, ++place.generation)
    }
    return place
  }
  const server = http.createServer((request, response) => {
    const [, i = '', generation] = /^\/(\d+)-(\d+)$/u.exec(request.url ?? '') ?? []
    const place = present(Number(i))
    const ageMs = performance.now() - place.startedMs
    const body = place.life.served.findLast(({ atMs }) => atMs <= ageMs)?.body
    if (String(place.generation) === generation && body !== undefined) {
      names.add(request.url ?? '')
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(body)
    } else response.writeHead(404).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `127.0.0.1:${(server.address() as net.AddressInfo).port}`
  return {
    writeTargets(file) {
      const targets = places.map((_, i) => {
        const name = `${i}-${present(i).generation}`
        return { targets: [address], labels: { __metrics_path__: `/${name}`, instance: `ci/build-${name}` } }
      })
      writeFileSync(`${file}.new`, JSON.stringify(targets))
      renameSync(`${file}.new`, file)
    },
    scraped: () => names.size,
    stop: () => server.close(),
  }
}
