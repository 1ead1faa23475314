import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_OPTIONS } from './options.ts'
import { ruleFiles } from './rules.ts'

const HELP = `Usage: node prometheus/build.ts [options]

Writes the recording rules and alerts of Prometheus.

  --selector MATCHERS   label matchers for every series of the exporters, such as 'namespace="ci"'
                        (default: all exporters)
  --expected MATCHERS   label matchers of the targets that are always there; without one an alert fires.
                        '' if exporters come and go (default: '${DEFAULT_OPTIONS.expected}')
  --runbook URL         address of docs/runbook.md, for links in alerts (default: '${DEFAULT_OPTIONS.runbook}')
  --out DIR             where to write (default: prometheus/rules)
`

const { values } = parseArgs({
  options: {
    selector: { type: 'string', default: DEFAULT_OPTIONS.selector },
    expected: { type: 'string', default: DEFAULT_OPTIONS.expected },
    runbook: { type: 'string', default: DEFAULT_OPTIONS.runbook },
    out: { type: 'string', default: path.join(import.meta.dirname, 'rules') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else {
  mkdirSync(values.out, { recursive: true })
  for (const [name, text] of ruleFiles(values)) {
    const file = path.join(values.out, name)
    writeFileSync(file, text)
    console.log(path.relative(process.cwd(), file))
  }
}
