import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { dashboards, fileText } from './dashboards.ts'

/** Writes every dashboard to grafana/dashboards, the directory that Grafana's provisioning reads. */
const directory = path.join(import.meta.dirname, 'dashboards')
mkdirSync(directory, { recursive: true })
for (const dashboard of dashboards()) {
  const file = path.join(directory, `${dashboard.uid}.json`)
  writeFileSync(file, fileText(dashboard))
  console.log(path.relative(process.cwd(), file))
}
