import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard'
import { overview } from './boards/overview.ts'

/** All dashboards, each in a file named after its uid. */
export const dashboards = (): readonly Dashboard[] => [overview()]

/** The file's text, as committed: two builds of the same source give the same bytes. */
export const fileText = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`
