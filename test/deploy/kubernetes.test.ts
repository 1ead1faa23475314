import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { generatedManifests } from '../../deploy/kubernetes/manifests.ts'
import { dashboards } from '../../grafana/dashboards.ts'
import manifest from '../../package.json' with { type: 'json' }
import { alertGroups } from '../../prometheus/alerts.ts'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { CATALOGUE, prometheusName } from '../../src/metrics/catalogue.ts'
import { parseWatchConfig } from '../../src/commands/watch-flags.ts'
import { startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { GENERATIONS, requireGeneration } from '../setup/generations.ts'
import { until } from '../setup/process.ts'
import {
  APPLIED,
  type Container,
  containersOf,
  faultsOf,
  KUBERNETES,
  kustomize,
  type Manifest,
  podTemplates,
  violations,
} from './manifests.ts'

const OF_EXPORTERS = ['deployment', 'daemonset', 'job'] as const

/** Everything that kustomize makes, once for all tests. */
let building: Promise<Record<(typeof APPLIED)[number], Manifest[]>> | undefined
const built = () =>
  (building ??= (async () => ({
    deployment: await kustomize(path.join(KUBERNETES, 'deployment')),
    daemonset: await kustomize(path.join(KUBERNETES, 'daemonset')),
    job: await kustomize(path.join(KUBERNETES, 'job')),
    monitoring: await kustomize(path.join(KUBERNETES, 'monitoring')),
  }))())

const all = async (): Promise<Manifest[]> => Object.values(await built()).flat()

async function podOf(directory: (typeof OF_EXPORTERS)[number]) {
  const [template] = podTemplates((await built())[directory])
  return template!
}

/** The container that runs `watch`. */
async function exporterOf(directory: (typeof OF_EXPORTERS)[number]): Promise<Container> {
  const exporter = containersOf((await podOf(directory)).spec).find(({ args }) => args?.[0] === 'watch')
  return exporter!
}

/** A copy of an object in which the value at a path of keys is another one. */
const withValue = (value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown => {
  if (key === undefined) return to
  const copy: Record<string, unknown> = Array.isArray(value)
    ? (Object.assign([], value) as never)
    : { ...(value as object) }
  copy[key] = withValue(copy[key], rest, to)
  return copy
}

const KINDS =
  'ConfigMap DaemonSet Deployment Job NetworkPolicy PersistentVolumeClaim PodMonitor PrometheusRule'.split(
    ' ',
  )

test('Kubernetes 1.29 and the newest one, and the operator of Prometheus, accept every manifest', async () => {
  const manifests = await all()
  expect(new Set(manifests.map(({ kind }) => kind))).toEqual(new Set(KINDS))
  expect(await faultsOf(manifests)).toEqual(manifests.map(() => []))
})

/** Fields that are misspelt, by kind. */
const MISSPELT = [
  ['Job', 'spec.template.spec.initContainers.0.startupProbes'],
  ['Job', 'spec.template.spec.terminationGracePeriod'],
  ['Deployment', 'spec.template.spec.securityContext.fsgroup'],
  ['DaemonSet', 'spec.updateStrategy.rollingUpdate.maxSurges'],
  ['NetworkPolicy', 'spec.podselector'],
  ['PersistentVolumeClaim', 'spec.accessMode'],
  ['ConfigMap', 'dat'],
  ['PodMonitor', 'spec.podMetricsEndpoints.0.relabeling'],
  ['PrometheusRule', 'spec.groups.0.rules.0.keep_firing'],
].map(([kind = '', field = '']) => ({ kind, keys: field.split('.') }))

test('a misspelt field of any kind is refused and named', async () => {
  const manifests = await all()
  const misspelt = MISSPELT.map(
    ({ kind, keys }) =>
      withValue(
        manifests.find((each) => each.kind === kind)!,
        keys,
        {},
      ) as object,
  )
  const faults = await faultsOf(misspelt)
  for (const [at, { kind, keys }] of MISSPELT.entries())
    expect(faults[at]?.[0], kind).toContain(`'${keys.at(-1)}' was unexpected`)
})

test('the generated manifests are what `npm run generate` writes, and there are no others', () => {
  const generated = generatedManifests(DEFAULT_OPTIONS)
  for (const [name, text] of generated)
    expect(readFileSync(path.join(KUBERNETES, name), 'utf8'), name).toBe(text)
  const boards = readdirSync(path.join(KUBERNETES, 'monitoring/dashboards')).map(
    (name) => `monitoring/dashboards/${name}`,
  )
  expect(boards.sort()).toEqual([...generated.keys()].filter((name) => name.includes('/dashboards/')).sort())
})

test('the pods of the Deployment and of the Job meet the Pod Security level restricted', async () => {
  expect(violations((await podOf('deployment')).spec)).toEqual([])
  expect(violations((await podOf('job')).spec)).toEqual([])
})

test('the DaemonSet is kept from the level restricted by its paths of the node and by the owner of its state only', async () => {
  expect(violations((await podOf('daemonset')).spec)).toEqual([
    'volume builds: hostPath',
    'volume state: hostPath',
    'container state-owner: runAsNonRoot',
    'container state-owner: runAsUser',
    'container state-owner: capabilities',
  ])
  const owner = containersOf((await podOf('daemonset')).spec).find(({ name }) => name === 'state-owner')
  expect(owner?.securityContext?.capabilities).toEqual({ drop: ['ALL'], add: ['CHOWN'] })
})

test('every container has a read-only root file system and a limit of memory, and runs the image of this version', async () => {
  for (const { spec } of podTemplates(await all())) {
    for (const container of containersOf(spec)) {
      expect(container.image).toBe(`audit-trace-exporter:${manifest.version}`)
      expect(container.securityContext?.readOnlyRootFilesystem).toBe(true)
      expect(container.resources).toMatchObject({ requests: { memory: expect.any(String) as unknown } })
      expect(container.resources).toMatchObject({ limits: { memory: expect.any(String) as unknown } })
    }
  }
})

test.each(OF_EXPORTERS)(
  '%s: the exporter starts with its arguments and answers its probes',
  async (directory) => {
    const { args = [], ...container } = await exporterOf(directory)
    expect(args.slice(0, 2)).toEqual(['watch', '/builds'])
    const running = await startDaemon({
      roots: [temporaryDirectory()],
      state: temporaryDirectory(),
      args: args.slice(2),
    })
    const probes = [container.startupProbe, container.livenessProbe, container.readinessProbe]
    const paths = probes.flatMap((probe) => (probe === undefined ? [] : [probe.httpGet.path]))
    expect(paths.length).toBeGreaterThan(0)
    for (const name of paths)
      await until(`${name} answers`, async () => (await fetch(running.url + name)).ok || undefined)
  },
)

test.each(OF_EXPORTERS)('%s: the builds are mounted read-only, the state is not', async (directory) => {
  const { volumeMounts } = await exporterOf(directory)
  const mounts = new Map(volumeMounts?.map(({ mountPath, readOnly = false }) => [mountPath, readOnly]))
  expect(Object.fromEntries(mounts)).toEqual({ '/builds': true, '/var/lib/audit-trace-exporter': false })
})

test('the volume of builds is read-only as a whole, so that fsGroup does not change what belongs to others', async () => {
  const { spec } = await podOf('deployment')
  expect(spec.volumes).toContainEqual({
    name: 'builds',
    persistentVolumeClaim: { claimName: 'builds', readOnly: true },
  })
})

test('the sidecar starts before the build, ends after it, and has the time to linger', async () => {
  const exporter = await exporterOf('job')
  const { spec } = await podOf('job')
  expect(spec.initContainers).toContainEqual(exporter)
  expect(exporter).toMatchObject({ restartPolicy: 'Always', startupProbe: { httpGet: { port: 'metrics' } } })
  const { linger } = configOf(exporter)
  expect(linger).toBeGreaterThan(0)
  expect(spec.terminationGracePeriodSeconds! * 1000).toBeGreaterThan(linger + 10_000)
})

/** The flags of a container as the program reads them. */
function configOf({ args = [] }: Container) {
  const flags: Record<string, unknown> = { roots: [args[1]] }
  for (const [at, argument] of args.entries()) {
    if (!argument.startsWith('--')) continue
    const key = argument.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
    const next = args[at + 1]
    flags[key] = next === undefined || next.startsWith('--') ? true : next
  }
  return parseWatchConfig(flags)
}

test('the sidecar is added to each Job with the label, beside what the Job has, and to no other', async () => {
  const directory = temporaryDirectory()
  cpSync(path.join(KUBERNETES, 'sidecar'), path.join(directory, 'sidecar'), { recursive: true })
  const job = (name: string, labels: object) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name, labels },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          initContainers: [{ name: 'checkout', image: 'git' }],
          containers: [
            { name: 'build', image: 'pipeline', volumeMounts: [{ name: 'builds', mountPath: '/work' }] },
          ],
          volumes: [{ name: 'source', emptyDir: {} }],
        },
      },
    },
  })
  writeFileSync(path.join(directory, 'a.yaml'), stringify(job('a', { 'audit-trace-exporter': 'sidecar' })))
  writeFileSync(path.join(directory, 'b.yaml'), stringify(job('b', {})))
  writeFileSync(
    path.join(directory, 'kustomization.yaml'),
    stringify({ resources: ['a.yaml', 'b.yaml'], components: ['sidecar'] }),
  )
  const manifests = await kustomize(directory)
  const [withSidecar, without] = podTemplates(manifests)
  expect(without?.spec).toEqual(job('b', {}).spec.template.spec)
  expect(withSidecar?.spec.initContainers?.map(({ name }) => name).sort()).toEqual(['checkout', 'exporter'])
  expect(withSidecar?.spec.volumes?.map(({ name }) => name).sort()).toEqual([
    'audit-state',
    'builds',
    'source',
  ])
  expect(await faultsOf(manifests)).toEqual(manifests.map(() => []))
})

interface Selecting {
  readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> }
  readonly podMetricsEndpoints?: readonly {
    port: string
    interval: string
    relabelings: object[]
    metricRelabelings?: readonly { regex: string; action: string }[]
  }[]
  readonly ingress?: readonly { ports: { port: string }[] }[]
}

const specOf = (manifests: readonly Manifest[], kind: string): Selecting =>
  manifests.find((each) => each.kind === kind)!.spec as Selecting

test.each(OF_EXPORTERS)(
  '%s: PodMonitor and NetworkPolicy select its pods and their port',
  async (directory) => {
    const manifests = (await built())[directory]
    const { metadata } = await podOf(directory)
    const ports = (await exporterOf(directory)).ports?.map(({ name }) => name)
    const monitor = specOf(manifests, 'PodMonitor')
    const policy = specOf(manifests, 'NetworkPolicy')
    expect(metadata.labels).toMatchObject(monitor.selector!.matchLabels)
    expect(metadata.labels).toMatchObject(policy.podSelector!.matchLabels)
    expect(ports).toEqual(monitor.podMetricsEndpoints?.map(({ port }) => port))
    expect(ports).toEqual(policy.ingress?.[0]?.ports.map(({ port }) => port))
  },
)

test.each(['deployment', 'daemonset'] as const)(
  '%s: a new series is held for two scrapes',
  async (directory) => {
    const { newSeriesHold = 30_000 } = configOf(await exporterOf(directory))
    expect(newSeriesHold).toBeGreaterThanOrEqual(2 * (await scrapeIntervalOf(directory)))
  },
)

test('the sidecar lingers for four scrapes', async () => {
  const { linger } = configOf(await exporterOf('job'))
  expect(linger).toBeGreaterThanOrEqual(4 * (await scrapeIntervalOf('job')))
})

/** Milliseconds. */
async function scrapeIntervalOf(directory: (typeof OF_EXPORTERS)[number]): Promise<number> {
  const { interval } = specOf((await built())[directory], 'PodMonitor').podMetricsEndpoints![0]!
  return Number.parseInt(interval, 10) * 1000
}

test('what Prometheus drops of a sidecar are exactly the buckets that no dashboard and no rule uses', async () => {
  const { metricRelabelings = [] } = specOf((await built()).job, 'PodMonitor').podMetricsEndpoints![0]!
  expect(metricRelabelings.map(({ action }) => action)).toEqual(['drop'])
  const dropped = new RegExp(`^(?:${metricRelabelings[0]!.regex})$`, 'u')
  const uses = JSON.stringify([dashboards(), (await built()).monitoring])
  const names = Object.values(CATALOGUE).flatMap((metric) => {
    const name = prometheusName(metric)
    return metric.kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name]
  })
  const unused = names.filter((name) => name.endsWith('_bucket') && !uses.includes(name))
  expect(unused.length).toBeGreaterThan(0)
  expect(names.filter((name) => dropped.test(name))).toEqual(unused)
})

test.each([
  ['deployment', 'audit-trace-exporter', 'ci/audit-trace-exporter', true],
  ['daemonset', 'audit-trace-exporter', 'ci/worker-3', true],
  ['job', 'audit-trace-exporter-sidecar', 'ci/pod-1', false],
] as const)(
  '%s: Prometheus calls the exporter %s and %s, and pods in turn have one name where the state stays',
  async (directory, job, instance, stays) => {
    const monitor = specOf((await built())[directory], 'PodMonitor')
    const { metadata } = await podOf(directory)
    const targets = ['1', '2'].map((number) => ({
      targets: [`10.0.0.${number}:9464`],
      labels: {
        // As the operator sets them before its relabelings.
        job: 'ci/monitor',
        namespace: 'ci',
        container: 'exporter',
        pod: `pod-${number}`,
        endpoint: 'metrics',
        __meta_kubernetes_namespace: 'ci',
        __meta_kubernetes_pod_name: `pod-${number}`,
        __meta_kubernetes_pod_node_name: 'worker-3',
        ...Object.fromEntries(
          Object.entries(metadata.labels).map(([name, value]) => [
            `__meta_kubernetes_pod_label_${name.replaceAll(/\W/g, '_')}`,
            value,
          ]),
        ),
      },
    }))
    const relabel_configs = monitor.podMetricsEndpoints![0]!.relabelings.map((rule) =>
      Object.fromEntries(
        Object.entries(rule).map(([key, value]) => [
          key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
          value as unknown,
        ]),
      ),
    )
    const labels = await labelsAfter(relabel_configs, targets)
    expect(labels[0]).toEqual({ job, instance, namespace: 'ci' })
    expect(labels[1]!['instance'] === instance).toBe(stays)
  },
)

/** The labels of each target's series, as a real Prometheus makes them. */
async function labelsAfter(relabel_configs: object[], static_configs: object[]) {
  const promtool = await requireGeneration('3', 'promtool')
  const file = path.join(temporaryDirectory(), 'prometheus.yml')
  writeFileSync(file, stringify({ scrape_configs: [{ job_name: 'pods', static_configs, relabel_configs }] }))
  const output = execFileSync(promtool, ['check', 'service-discovery', '--timeout=2s', file, 'pods'], {
    encoding: 'utf8',
  })
  const targets = JSON.parse(output) as { labels: Record<string, string> }[]
  // In whatever order promtool found them.
  return targets
    .map(({ labels }) =>
      Object.fromEntries(Object.entries(labels).filter(([name]) => !name.startsWith('__'))),
    )
    .toSorted((a, b) => (a['instance']! < b['instance']! ? -1 : 1))
}

test.each(GENERATIONS)('promtool %s accepts the rules of each PrometheusRule', async (generation) => {
  const promtool = await requireGeneration(generation, 'promtool')
  const rules = (await all()).filter(({ kind }) => kind === 'PrometheusRule')
  expect(rules.length).toBe(3)
  for (const { metadata, spec } of rules) {
    const file = path.join(temporaryDirectory(), `${metadata.name}.yml`)
    writeFileSync(file, stringify({ groups: spec?.['groups'] }))
    expect(
      execFileSync(promtool, ['check', 'rules', '--lint=all', '--lint-fatal', file], { encoding: 'utf8' }),
    ).toContain('SUCCESS')
  }
})

test('the rules are those of prometheus/, and a daemon that must be there is missed where it is deployed', async () => {
  interface Group {
    readonly name: string
    readonly rules: readonly { readonly alert?: string; readonly expr: string }[]
  }
  const groupsOf = (manifests: readonly Manifest[]): readonly Group[] =>
    manifests.find(({ kind }) => kind === 'PrometheusRule')!.spec!['groups'] as Group[]
  const { monitoring, deployment, daemonset, job } = await built()
  const alerts = groupsOf(monitoring).flatMap(({ rules }) => rules.flatMap(({ alert }) => alert ?? []))
  expect(alerts).toEqual(alertGroups(DEFAULT_OPTIONS).flatMap(({ rules }) => rules.map(({ alert }) => alert)))
  expect(JSON.stringify(groupsOf(monitoring))).not.toContain('absent(')
  for (const manifests of [deployment, daemonset]) {
    const [group] = groupsOf(manifests)
    expect(group?.rules).toHaveLength(1)
    expect(group?.rules[0]).toMatchObject({ alert: 'AuditExporterDown' })
    expect(group?.rules[0]?.expr).toContain('absent(up{job="audit-trace-exporter"})')
  }
  expect(job.map(({ kind }) => kind)).not.toContain('PrometheusRule')
})

/** `kubectl apply` keeps a copy of the object in an annotation; annotations may have this many bytes in total. */
const ANNOTATIONS_BYTES = 256 * 1024

test('each dashboard is a ConfigMap that Grafana finds, small enough for `kubectl apply`', async () => {
  const maps = (await built()).monitoring.filter(({ kind }) => kind === 'ConfigMap')
  expect(maps).toHaveLength(dashboards().length)
  for (const board of dashboards()) {
    const found = maps.find(({ data }) => data?.[`${board.uid}.json`] !== undefined)
    expect(found?.metadata.labels).toMatchObject({ grafana_dashboard: '1' })
    const committed = JSON.parse(
      readFileSync(path.join(KUBERNETES, `../../grafana/dashboards/${board.uid}.json`), 'utf8'),
    ) as { templating: { list: Record<string, unknown>[] } }
    // Grafana selects its default data source.
    for (const variable of committed.templating.list)
      if (variable['name'] === 'datasource') delete variable['current']
    expect(JSON.parse(found!.data![`${board.uid}.json`]!)).toEqual(committed)
    expect(JSON.stringify(found).length).toBeLessThan(ANNOTATIONS_BYTES)
  }
})
