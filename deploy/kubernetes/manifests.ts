import { stringify } from 'yaml'
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { dashboards } from '../../grafana/dashboards.ts'
import { alertGroups } from '../../prometheus/alerts.ts'
import { DEFAULT_OPTIONS, type RuleOptions } from '../../prometheus/options.ts'
import { livesGroups } from '../../prometheus/lives.ts'
import { recordingGroups } from '../../prometheus/recording.ts'
import { revisionGroups } from '../../prometheus/revisions.ts'
import type { AlertRule, RecordingRule, RuleGroup } from '../../prometheus/rule.ts'

type Options = Pick<RuleOptions, 'selector' | 'runbook'>
const LABELS = { 'app.kubernetes.io/name': 'audit-trace-exporter' }

type Groups = readonly RuleGroup<RecordingRule | AlertRule>[]

const GENERATED = '# Generated; do not edit. Options: audit-trace-exporter assets --help\n'

/** The text of every manifest that is generated, by its path below deploy/kubernetes. */
export function generatedManifests(options: Options): ReadonlyMap<string, string> {
  const boards = dashboards(options.runbook)
  return new Map([
    ['monitoring/prometheus-rule.yaml', rules('audit-trace-exporter', allGroups(options))],
    ['deployment/prometheus-rule.yaml', rules('audit-trace-exporter-missing', missing(options))],
    ['daemonset/prometheus-rule.yaml', rules('audit-trace-exporter-node-missing', missing(options))],
    ...boards.map((board) => [`monitoring/dashboards/${board.uid}.yaml`, configMap(board)] as const),
    ['monitoring/kustomization.yaml', kustomization(boards.map(({ uid }) => `dashboards/${uid}.yaml`))],
  ])
}

/** Exporters come and go: what must always be there is known where it is deployed. */
const allGroups = (options: Options): Groups => {
  const fleet: RuleOptions = { ...options, expected: '' }
  return [...revisionGroups(fleet), ...livesGroups(fleet), ...recordingGroups(fleet), ...alertGroups(fleet)]
}

/** The part of AuditExporterDown about targets that must be there. `allGroups` leaves it out. */
function missing(options: Options): Groups {
  const { group, rule } = exporterDown({ ...options, expected: DEFAULT_OPTIONS.expected })
  const others = `${exporterDown({ ...options, expected: '' }).rule.expr}\nor `
  if (!rule.expr.startsWith(others))
    throw new Error('AuditExporterDown does not begin with the other targets.')
  const expr = rule.expr.slice(others.length)
  return [{ ...group, name: 'audit-exporter-missing', rules: [{ ...rule, expr }] }]
}

function exporterDown(options: RuleOptions): { group: RuleGroup<AlertRule>; rule: AlertRule } {
  for (const group of alertGroups(options)) {
    const rule = group.rules.find(({ alert }) => alert === 'AuditExporterDown')
    if (rule !== undefined) return { group, rule }
  }
  throw new Error('There is no alert AuditExporterDown.')
}

const rules = (name: string, groups: Groups): string =>
  manifest({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name, labels: LABELS },
    spec: { groups },
  })

/** The label is the one that Grafana's sidecar looks for in Grafana's Helm charts. */
function configMap(board: Dashboard): string {
  const labels = { ...LABELS, grafana_dashboard: '1' }
  return manifest({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `audit-trace-exporter-${board.uid}`, labels },
    // Compact: `kubectl apply` stores an object a second time in an annotation, which may have 256 KiB.
    data: { [`${board.uid}.json`]: JSON.stringify(withDefaultDatasource(board)) },
  })
}

/** The data source that the variable selects in docker-compose.yml does not exist here: let Grafana select its default. */
function withDefaultDatasource(board: Dashboard): Dashboard {
  const list = board.templating?.list?.map(({ current, ...variable }) =>
    variable.name === 'datasource' ? variable : { ...variable, ...(current && { current }) },
  )
  return { ...board, templating: { ...board.templating, ...(list && { list }) } }
}

const kustomization = (files: readonly string[]): string =>
  manifest({
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['prometheus-rule.yaml', ...files],
  })

const manifest = (object: object): string =>
  GENERATED + stringify(object, { lineWidth: 0, blockQuote: 'literal', singleQuote: true })
