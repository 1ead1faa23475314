import { defaultResource, resourceFromAttributes, type Resource } from '@opentelemetry/resources'
import type { PushSettings } from './settings.ts'

/** Prometheus makes it the label `job`. */
const SERVICE_NAME = 'audit-trace-exporter'

/**
 * Names this exporter. `service.instance.id`, which becomes the label `instance`, stays with the state unless the user
 * gives one: a restart is no other instance, and no two exporters share one.
 */
export const resourceOf = (
  { resource }: PushSettings,
  { instanceId, version }: { readonly instanceId: string; readonly version: string },
): Resource =>
  defaultResource().merge(
    resourceFromAttributes({
      'service.name': SERVICE_NAME,
      'service.version': version,
      'service.instance.id': instanceId,
      ...resource,
    }),
  )
