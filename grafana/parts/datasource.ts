import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'

/** The data source selected by the first variable of the dashboard. */
export const DATASOURCE: DataSourceRef = { type: 'prometheus', uid: '${datasource}' }
