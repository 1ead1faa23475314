import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { dashboards } from '../../grafana/dashboards.ts'

const root = path.resolve(import.meta.dirname, '../..')
const text = (file: string): string => readFileSync(path.join(root, file), 'utf8')

interface Service {
  readonly image: string
  readonly build?: string
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly profiles?: readonly string[]
}
interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const compose = parse(text('docker-compose.yml'), { merge: true }) as Compose
const services = Object.entries(compose.services)

test('every published port is bound to the loopback address', () => {
  const ports = services.flatMap(([, { ports = [] }]) => ports)
  expect(ports.length).toBeGreaterThan(0)
  for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
})

test.each(services)('the image of %s is pinned to a version', (_, { image }) => {
  expect(image).toMatch(/:v?\d+\.\d+\.\d+(-[\w-]+)?$/)
})

test.each(services)('%s mounts declared volumes and existing files only', (_, service) => {
  for (const mount of service.volumes ?? []) {
    const source = mount.replace(/\$\{\w+:-(\w+)\}/, '$1').split(':')[0]!
    if (source.startsWith('./')) expect(existsSync(path.join(root, source)), source).toBe(true)
    else expect(Object.keys(compose.volumes)).toContain(source)
  }
})

test('every image is built by one service only, and other services that run it wait for that one', () => {
  const builders = services.filter(([, { build }]) => build !== undefined)
  expect(builders.map(([name]) => name)).toEqual(['exporter'])
  for (const [built, { image }] of builders) {
    for (const [name, other] of services) {
      if (name !== built && other.image === image)
        expect(Object.keys(other.depends_on ?? {})).toContain(built)
    }
  }
})

test.each(services)('%s has a health check at a port that it publishes, or disables it', (_, service) => {
  const { build, healthcheck, ports = [] } = service
  // The image of the project has its own health check.
  if (build !== undefined) expect(healthcheck).toBeUndefined()
  else if (healthcheck?.disable !== true) {
    expect(healthcheck?.test?.slice(0, 2)).toEqual(['CMD', 'wget'])
    const { hostname, port } = new URL(healthcheck!.test!.at(-1)!)
    expect(hostname).toBe('127.0.0.1')
    expect(ports.map((published) => published.split(':').at(-1))).toContain(port)
  }
})

test('no service waits for the health of a service without a health check', () => {
  for (const [, { depends_on: needed = {} }] of services) {
    for (const [name, { condition }] of Object.entries(needed)) {
      expect(Object.keys(compose.services)).toContain(name)
      if (condition === 'service_healthy') expect(compose.services[name]?.healthcheck?.test).toBeDefined()
    }
  }
})

test('Prometheus starts even if no other service does, because it reports that', () => {
  expect(compose.services['prometheus']).not.toHaveProperty('depends_on')
})

test('Prometheus keeps at least 90 days', () => {
  const days = compose.services['prometheus']?.command
    ?.map((argument) => /^--storage\.tsdb\.retention\.time=(\d+)d$/.exec(argument)?.[1])
    .find((value) => value !== undefined)
  expect(Number(days)).toBeGreaterThanOrEqual(90)
})

test('Grafana requires a password, and no password is in the file', () => {
  const settings = compose.services['grafana']?.environment
  expect(settings).toMatchObject({
    GF_AUTH_ANONYMOUS_ENABLED: 'false',
    GF_USERS_ALLOW_SIGN_UP: 'false',
    GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/grafana-password/admin',
  })
  expect(settings).not.toHaveProperty('GF_SECURITY_ADMIN_PASSWORD')
})

test('the simulator runs only with the profile demo', () => {
  expect(compose.services['simulator']?.profiles).toEqual(['demo'])
})

test('Prometheus scrapes the exporter under a fixed job and instance, at the address of its service', () => {
  const { scrape_configs: jobs } = parse(text('prometheus/prometheus.yml')) as {
    scrape_configs: { job_name: string; static_configs: unknown }[]
  }
  expect(jobs.find(({ job_name: job }) => job === 'audit-trace-exporter')?.static_configs).toEqual([
    { targets: ['exporter:9464'], labels: { instance: 'audit-trace-exporter' } },
  ])
  expect(Object.keys(compose.services)).toContain('exporter')
})

test('the dashboards start with the provisioned data source', () => {
  const { datasources } = parse(text('grafana/provisioning/datasources/prometheus.yml')) as {
    datasources: { uid: string; editable: boolean }[]
  }
  expect(datasources).toHaveLength(1)
  expect(datasources[0]?.editable).toBe(false)
  for (const { templating } of dashboards()) {
    const variable = templating?.list?.find(({ name }) => name === 'datasource')
    expect(variable?.current?.value).toBe(datasources[0]?.uid)
  }
})

test('the dashboard provider reads the directory that the compose file mounts', () => {
  const { providers } = parse(text('grafana/provisioning/dashboards/audits.yml')) as {
    providers: { allowUiUpdates: boolean; disableDeletion: boolean; options: { path: string } }[]
  }
  expect(providers[0]).toMatchObject({ allowUiUpdates: false, disableDeletion: true })
  expect(compose.services['grafana']?.volumes).toContain(
    `./grafana/dashboards:${providers[0]?.options.path}:ro`,
  )
})
