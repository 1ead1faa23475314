import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { DEFAULT_OPTIONS } from '../prometheus/options.ts'
import { dashboards, fileText } from './dashboards.ts'

const HELP = `Usage: node grafana/build.ts [options]

Writes the dashboards of Grafana.

  --runbook URL   address of docs/runbook.md, for links from firing alerts (default: no links)
  --out DIR       where to write (default: grafana/dashboards)
`

const { values } = parseArgs({
  options: {
    runbook: { type: 'string', default: DEFAULT_OPTIONS.runbook },
    out: { type: 'string', default: path.join(import.meta.dirname, 'dashboards') },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) console.log(HELP)
else {
  mkdirSync(values.out, { recursive: true })
  for (const dashboard of dashboards(values.runbook)) {
    const file = path.join(values.out, `${dashboard.uid}.json`)
    writeFileSync(file, fileText(dashboard))
    console.log(path.relative(process.cwd(), file))
  }
}
