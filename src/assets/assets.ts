import { fileURLToPath } from 'node:url'
import { generatedManifests } from '../../deploy/kubernetes/manifests.ts'
import { dashboards, fileText } from '../../grafana/dashboards.ts'
import type { RuleOptions } from '../../prometheus/options.ts'
import { FAMILIES, FAMILY, SCOPE } from '../../grafana/parts/selectors.ts'
import { remoteWriteFiles } from '../../prometheus/fleet.ts'
import { fleetRules, ruleFiles } from '../../prometheus/rules.ts'
import { copiedFiles } from './copied.ts'

/** Where the files are that are not generated: in the repository, or beside the bundle. */
const COPIES = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../' : './assets/', import.meta.url),
)

/**
 * Everything that an installation needs beside the program, by its path in the repository: dashboards, recording rules
 * and alerts, what a fleet needs, Kubernetes manifests, the systemd unit, the runbook.
 */
export const assets = (options: RuleOptions): ReadonlyMap<string, string> =>
  new Map([
    ...copiedFiles(COPIES),
    ...dashboards(options.runbook).map(
      (board) => [`grafana/dashboards/${board.uid}.json`, fileText(board)] as const,
    ),
    ...below('prometheus/rules', ruleFiles(options)),
    ['prometheus/fleet/rules.yml', fleetRules(options)],
    ...below('prometheus/fleet', remoteWriteFiles(queriesIn(dashboards(options.runbook)))),
    ...below('deploy/kubernetes', generatedManifests(options)),
  ])

const QUERIES: ReadonlySet<string> = new Set(['expr', 'query', 'definition'])

/** The texts of all queries of panels, annotations and variables. */
function queriesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]: [string, unknown]) =>
    typeof inner === 'string' && QUERIES.has(key)
      ? Object.values(FAMILIES).map((scope) =>
          inner
            .replaceAll(SCOPE, scope)
            .replaceAll(FAMILY, scope === FAMILIES.phase ? FAMILIES.overall : scope),
        )
      : queriesIn(inner),
  )
}

const below = (directory: string, files: ReadonlyMap<string, string>): (readonly [string, string])[] =>
  [...files].map(([name, text]) => [`${directory}/${name}`, text] as const)
