import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dashboards, fileText } from './dashboards.ts'

/** Writes every dashboard into grafana/dashboards, where Grafana's provisioning looks. */
const directory = path.join(import.meta.dirname, 'dashboards')
mkdirSync(directory, { recursive: true })
for (const dashboard of dashboards()) {
  const file = path.join(directory, `${dashboard.uid}.json`)
  writeFileSync(file, fileText(dashboard))
  console.log(path.relative(process.cwd(), file))
}
