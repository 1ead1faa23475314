import type { Generation } from '../setup/generations.ts'
import { expectSamples, type Series } from '../setup/promtool.ts'

export const COUNTER = 'audit_tokens_total'

/** A series of the counter of one exporter, with further labels such as `,step="s"`. */
export const series = (instance: string, values: string, labels = ''): Series => ({
  series: `${COUNTER}{job="j",instance="${instance}"${labels}}`,
  values,
})

/** When the state of an exporter was created. */
export const stateOf = (instance: string, values: string): Series => ({
  series: `audit_exporter_state_created_timestamp_seconds{job="j",instance="${instance}"}`,
  values,
})

/** Expects the sum over all exporters in windows, by an expression of the increase. */
export const increaseIn =
  (generation: Generation, sumOf: (window: string, offset: string | undefined) => string) =>
  (window: string, input: readonly Series[], at: string, total: number, offset?: string): Promise<void> =>
    expectSamples(generation, { input, expr: sumOf(window, offset), at, samples: { '{}': total } })
