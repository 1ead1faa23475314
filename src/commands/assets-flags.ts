import { z } from 'zod'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { absolutePath, nonEmpty, parsed } from '../config/fields.ts'
import { flag } from '../config/flags.ts'

const MATCHER = String.raw`\s*[a-zA-Z_]\w*\s*(?:=~|!~|!=|=)\s*"(?:[^"\\\n]|\\.)*"\s*`
const MATCHERS = new RegExp(`^(?:${MATCHER}(?:,${MATCHER})*)?$`, 'u')

/** Label matchers without their braces; may be empty. */
const matchers = parsed(
  (text) => (MATCHERS.test(text) ? text.trim() : undefined),
  `a list of label matchers such as 'namespace="ci",job=~"audit-.*"'`,
)

const ALERTS = 'Rules and alerts:'

export const assetsDeclaration = {
  name: 'assets',
  summary: 'write dashboards, rules, alerts and Kubernetes manifests',
  description:
    'Writes what an installation needs beside the exporter: Grafana dashboards, rules and alerts of Prometheus with ' +
    'their runbook, Kubernetes manifests, a systemd unit.',
  flags: z.strictObject({
    out: flag(
      { value: '<dir>', help: 'Directory to write into. Files of the same names are replaced.' },
      absolutePath,
    ),
    prometheusSelector: flag(
      {
        value: '<matchers>',
        group: ALERTS,
        help: `Label matchers for every series of the exporters, such as 'namespace="ci"'. Default: all exporters.`,
      },
      matchers.prefault(DEFAULT_OPTIONS.selector),
    ),
    expectedTargets: flag(
      {
        value: '<matchers>',
        group: ALERTS,
        help: `Label matchers of the targets that are always there: without one, AuditExporterDown fires. '' if exporters come and go.`,
      },
      matchers.prefault(DEFAULT_OPTIONS.expected),
    ),
    runbookUrl: flag(
      {
        value: '<url>',
        group: ALERTS,
        help: 'Address of docs/runbook.md: where alerts and dashboards link to. A URL makes the links of the dashboards work.',
      },
      nonEmpty.prefault(DEFAULT_OPTIONS.runbook),
    ),
  }),
  notes: `
Writes below the directory:
  grafana/dashboards/    for Grafana's file provisioning or its import
  prometheus/rules/      for rule_files of prometheus.yml
  deploy/kubernetes/     Kustomize bases; alerts and dashboards as objects in
                         monitoring/. The manifests expect targets where they
                         deploy them, whatever --expected-targets says.
  deploy/systemd/        a hardened unit
  docs/runbook.md        what to do when an alert fires

Examples:
  audit-trace-exporter assets --out monitoring
  audit-trace-exporter assets --out monitoring --expected-targets '' \\
    --prometheus-selector 'namespace="ci"' \\
    --runbook-url https://git.example.org/audit/docs/runbook.md`,
}
