import { DashboardLinkBuilder, DashboardLinkType } from '@grafana/grafana-foundation-sdk/dashboard'

/** A link from a panel to another dashboard; keeps the time range and the variables. */
export const toAudit = (uid: string, title: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}?\${__url_time_range}&\${__all_variables}`)
    .targetBlank(false)
