import type { Resource } from '@opentelemetry/resources'
import type { Clock } from '../clock.ts'
import type { Engine } from '../engine.ts'
import type { Log } from '../log.ts'
import { createExporter } from '../push/exporter.ts'
import { createPushLog, withoutSecrets } from '../push/push-log.ts'
import { createPushMetrics } from '../push/push-metrics.ts'
import { createPush, type Push } from '../push/push.ts'
import { resourceOf } from '../push/resource.ts'
import type { PushSettings } from '../push/settings.ts'

export interface PreparedPush {
  readonly resource: Resource
  /** Connects it with the engine that was created for the resource. Nothing is pushed before `begin`. */
  connect(engine: Engine, onSelfFault: (error: unknown) => void): Push
}

/** Everything about pushes, in a module of its own: an exporter that is only scraped does not load it. */
export function preparePush(
  settings: PushSettings,
  {
    instanceId,
    version,
    log,
    clock,
  }: {
    readonly instanceId: string
    readonly version: string
    readonly log: Log
    readonly clock: Clock
  },
): PreparedPush {
  const { url, intervalMs } = settings
  const resource = resourceOf(settings, { instanceId, version })
  return {
    resource,
    connect({ pushSource, exposition }, onSelfFault) {
      if (pushSource === undefined) throw new Error('the engine has no source of pushes')
      const { 'service.name': job, 'service.instance.id': instance } = resource.attributes
      log.info(
        { event: 'pushing', url: withoutSecrets(url), intervalMs, job, instance },
        `Pushing metrics to ${withoutSecrets(url)} every ${intervalMs / 1000} s, as instance ${String(instance)}.`,
      )
      return createPush(
        {
          source: pushSource,
          exporter: createExporter(settings),
          metrics: createPushMetrics(exposition.meter),
          log: createPushLog(log, clock, settings),
          onSelfFault,
          clock,
        },
        settings,
      )
    },
  }
}
