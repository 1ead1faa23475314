import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'

/** The data source chosen in the dashboard's first variable. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' }
