import type { EngineWorld } from './engine.ts'
import { seriesKey } from './exposition.ts'

/** The default of `--new-series-hold`. */
export const HOLD_MS = 30_000

/** The key of `audit_entries_total` for a step without verdict; `context` is a full hash or a label. */
export const entriesKey = (context: string, step = 'scaffold', phase = 'scaffold'): string =>
  seriesKey('audit_entries_total', {
    step,
    phase,
    status: 'N/A',
    error_type: '',
    context_hash: context.slice(0, 12),
  })

/** Scrapes until every new series shows its value. */
export async function settle(world: EngineWorld): Promise<Map<string, number>> {
  await world.scrape()
  world.clock.advance(HOLD_MS)
  return world.scrape()
}
