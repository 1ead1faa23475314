import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_OPTIONS } from '../../prometheus/options.ts'
import { generatedManifests } from './manifests.ts'

const HELP = `Usage: node deploy/kubernetes/build.ts [options]

Writes the alerts, recording rules and dashboards as Kubernetes objects.

  --selector MATCHERS   label matchers for every series of the exporters, such as 'namespace="ci"'
                        (default: all exporters)
  --runbook URL         address of docs/runbook.md, for links in alerts (default: '${DEFAULT_OPTIONS.runbook}')
  --out DIR             where to write (default: deploy/kubernetes)
`

const { values } = parseArgs({
  options: {
    selector: { type: 'string', default: DEFAULT_OPTIONS.selector },
    runbook: { type: 'string', default: DEFAULT_OPTIONS.runbook },
    out: { type: 'string', default: import.meta.dirname },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else {
  for (const [name, text] of generatedManifests(values)) {
    const file = path.join(values.out, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
    console.log(path.relative(process.cwd(), file))
  }
}
