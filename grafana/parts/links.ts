import {
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
} from '@grafana/grafana-foundation-sdk/dashboard'

/** A link from a panel to another dashboard; keeps the time range and the variables. */
export const toAudit = (uid: string, title: string): DashboardLinkBuilder =>
  new DashboardLinkBuilder(title)
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}?\${__url_time_range}&\${__all_variables}`)
    .targetBlank(false)

/** A link from each value of a field: an override of the field's configuration. */
export const dataLink = (title: string, url: string): DynamicConfigValue => ({
  id: 'links',
  value: [{ title, url, targetBlank: false }],
})
