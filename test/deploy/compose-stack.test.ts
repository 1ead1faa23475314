import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { startDockerEngine, type DockerEngine } from '../setup/docker-engine.ts'
import { parseExposition } from '../setup/exposition.ts'
import { requireGoProgram } from '../setup/go-program.ts'
import { freePort } from '../setup/free-port.ts'
import { until } from '../setup/process.ts'
import { requireProgram } from '../setup/programs.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const FILE = path.join(ROOT, 'docker-compose.yml')
const { services } = parse(readFileSync(FILE, 'utf8'), { merge: true }) as {
  services: Record<string, { image: string }>
}
const imageOf = (service: string): string => services[service]!.image
const NODE = imageOf('grafana-password')

/** The health checks call the wget of busybox, which the official images have. */
const WGET = `#!/usr/local/bin/node
fetch(process.argv.at(-1)).then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))
`

/** Answers as Grafana does, once it has read what the real one needs: the password, dashboards and provisioning. */
const GRAFANA = `import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import http from 'node:http'
readFileSync(process.env.GF_SECURITY_ADMIN_PASSWORD__FILE)
JSON.parse(readFileSync(process.env.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH))
for (const kind of ['datasources', 'dashboards']) readdirSync('/etc/grafana/provisioning/' + kind)
writeFileSync('/var/lib/grafana/grafana.db', '')
http.createServer((request, response) => {
  response.writeHead(request.url === '/api/health' ? 200 : 404).end()
}).listen(3000)
`

/** Prints the alerts that Alertmanager delivers. */
const RECEIVER = `require('node:http').createServer((request, response) => {
  request.on('data', (chunk) => process.stdout.write(chunk)).on('end', () => response.end())
}).listen(8080)`

const program = (user: string, name: string, data: string): string => `FROM ${NODE}
COPY wget /usr/bin/wget
COPY ${name} /bin/${name}
RUN chmod 755 /usr/bin/wget /bin/${name} && mkdir -p ${data} && chown ${user} ${data}
USER ${user}
VOLUME ["${data}"]
WORKDIR ${data}
`

/** Debian's Alertmanager reads its templates there; upstream's contains them. */
const ALERTMANAGER_TEMPLATES = '/usr/share/prometheus/alertmanager'

/** Images under the names in the compose file: real programs, except Grafana. */
async function buildStandIns(engine: DockerEngine): Promise<void> {
  const prometheus = await requireGoProgram('prometheus')
  const alertmanager = requireProgram('prometheus-alertmanager')
  const nobody = '65534:65534'
  await engine.build(
    imageOf('prometheus'),
    {
      Dockerfile: `${program(nobody, 'prometheus', '/prometheus')}ENTRYPOINT ["/bin/prometheus"]`,
      wget: WGET,
    },
    [prometheus],
  )
  await engine.build(
    imageOf('alertmanager'),
    {
      Dockerfile: `${program(nobody, 'prometheus-alertmanager', '/alertmanager')}COPY alertmanager ${ALERTMANAGER_TEMPLATES}\nENTRYPOINT ["/bin/prometheus-alertmanager"]`,
      wget: WGET,
    },
    [alertmanager, ALERTMANAGER_TEMPLATES],
  )
  await engine.build(imageOf('grafana'), {
    Dockerfile: `${program('472:0', 'grafana.mjs', '/var/lib/grafana')}ENTRYPOINT ["/usr/local/bin/node", "/bin/grafana.mjs"]`,
    wget: WGET,
    'grafana.mjs': GRAFANA,
  })
}

interface Stack {
  readonly exporter: string
  readonly prometheus: string
  compose(...args: string[]): Promise<string>
}

/** The committed file, with free ports and a receiver of alerts. */
async function describeStack(engine: DockerEngine, directory: string): Promise<Stack> {
  const alertmanager = path.join(directory, 'alertmanager.yml')
  const config = parse(readFileSync(path.join(ROOT, 'prometheus/alertmanager.yml'), 'utf8')) as {
    receivers: Record<string, unknown>[]
  }
  for (const receiver of config.receivers) receiver['webhook_configs'] = [{ url: 'http://receiver:8080/' }]
  writeFileSync(alertmanager, stringify(config))
  const ports = { exporter: 9464, prometheus: 9090, alertmanager: 9093, grafana: 3000 }
  const published: Record<string, string> = {}
  let override = 'services:\n'
  for (const [service, port] of Object.entries(ports)) {
    published[service] = `127.0.0.1:${await freePort()}`
    override += `  ${service}:\n    ports: !override ['${published[service]}:${port}']\n`
    if (service === 'exporter') override += '    build: { network: host }\n'
    if (service === 'alertmanager')
      override += `    volumes: ['${alertmanager}:/etc/alertmanager/alertmanager.yml:ro']\n`
  }
  override += `  receiver: { image: '${NODE}', entrypoint: [node, -e], command: [${JSON.stringify(RECEIVER)}] }\n`
  const file = path.join(directory, 'override.yml')
  writeFileSync(file, override)
  return {
    exporter: `http://${published['exporter']}`,
    prometheus: `http://${published['prometheus']}`,
    compose: (...args) => engine.compose('--file', FILE, '--file', file, '--progress', 'quiet', ...args),
  }
}

interface State {
  readonly Service: string
  readonly State: string
  readonly Health: string
}

async function healthy({ compose }: Stack): Promise<string[]> {
  const lines = (await compose('ps', '--all', '--format', 'json')).split('\n')
  const states = lines.map((line) => JSON.parse(line) as State)
  return states
    .filter(({ Health }) => Health === 'healthy')
    .map(({ Service }) => Service)
    .toSorted()
}

async function allHealthy(stack: Stack): Promise<void> {
  try {
    await until('every service is healthy', async () => (await healthy(stack)).length === 4 || undefined)
  } catch (error) {
    const state = await stack.compose('ps', '--all')
    throw new Error(`${state}\n${(await stack.compose('logs', '--tail', '5')).slice(-5_000)}`, {
      cause: error,
    })
  }
}

async function query({ prometheus }: Stack, text: string, time?: number): Promise<number | undefined> {
  const at = time === undefined ? '' : `&time=${time}`
  const answer = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(text)}${at}`)
  const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } }
  return data.result[0] === undefined ? undefined : Number(data.result[0].value[1])
}

async function entries({ exporter }: Stack): Promise<number> {
  const scrape = parseExposition(await (await fetch(`${exporter}/metrics`)).text())
  return [...scrape].reduce((sum, [name, n]) => (name.startsWith('audit_entries_total{') ? sum + n : sum), 0)
}

const COUNT_LINES = `const { readdirSync, readFileSync } = require('node:fs')
const traces = readdirSync('/builds', { recursive: true }).filter((name) => name.endsWith('audit_trace.jsonl'))
const lines = traces.map((name) => readFileSync('/builds/' + name, 'utf8').split('\\n').length - 1)
console.log(lines.reduce((sum, n) => sum + n, 0))`

/** How many lines the simulator has written. */
const linesOfBuilds = async ({ compose }: Stack): Promise<number> =>
  Number(await compose('exec', '-T', 'exporter', '/usr/local/bin/node', '-e', COUNT_LINES))

test('the compose file starts whole, alerts are delivered, and everything is there after down and up', async () => {
  const engine = await startDockerEngine(NODE)
  const directory = mkdtempSync(path.join(tmpdir(), 'compose-'))
  const stack = await describeStack(engine, directory)
  onTestFinished(async () => {
    try {
      await stack.compose('--profile', 'demo', 'down', '--volumes', '--timeout', '5')
    } finally {
      await engine.stop()
    }
    rmSync(directory, { recursive: true, force: true })
  })
  await buildStandIns(engine)
  await stack.compose('--profile', 'demo', 'up', '--detach', '--build')
  await allHealthy(stack)

  await until('three targets are up', async () => (await query(stack, 'sum(up)')) === 3 || undefined)
  await until('simulated builds are counted', async () => ((await entries(stack)) > 0 ? true : undefined))
  await until(
    'Prometheus has them',
    async () => ((await query(stack, 'sum(audit_entries_total)')) ?? 0) > 0 || undefined,
  )
  await until(
    'Watchdog is delivered',
    async () => (await stack.compose('logs', 'receiver')).includes('Watchdog') || undefined,
  )

  await stack.compose('--profile', 'demo', 'stop', 'simulator')
  const password = await stack.compose('exec', '-T', 'grafana', 'cat', '/run/grafana-password/admin')
  expect(password.length).toBeGreaterThanOrEqual(24)
  const before = Date.now() / 1000
  const seen = await query(stack, 'sum(audit_entries_total)', before)
  expect(seen).toBeGreaterThan(0)
  // The simulator has ended. A new series shows its value only some seconds after a first scrape.
  const written = await linesOfBuilds(stack)
  await until('every line is counted', async () => (await entries(stack)) === written || undefined)
  await stack.compose('--profile', 'demo', 'down')
  await stack.compose('up', '--detach')
  await allHealthy(stack)
  expect(await entries(stack)).toBe(written)
  expect(await stack.compose('logs', 'exporter')).toContain('state_continued')
  expect(await query(stack, 'sum(audit_entries_total)', before)).toBe(seen)
  expect(await stack.compose('exec', '-T', 'grafana', 'cat', '/run/grafana-password/admin')).toBe(password)
})
