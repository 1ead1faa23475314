import type { Clock } from '../clock.ts'
import type { Engine } from '../engine.ts'
import type { Logger } from '../log.ts'
import type { Showing } from '../metrics/showing.ts'
import { counted, duration } from '../render/format.ts'
import type { Waker } from '../tail/loop.ts'
import type { WatchConfig } from './watch-flags.ts'

export interface EndingDeps {
  readonly engine: Engine
  readonly log: Logger
  readonly clock: Clock
  readonly waker: Waker
  /** When serving ends, by the monotonic clock. */
  readonly deadlineMs: number
}

type EndingConfig = Pick<WatchConfig, 'linger' | 'closeBuildsOnExit'>

/** Whether there is something to do between the signal and the end. */
export const hasEnding = ({ linger, closeBuildsOnExit }: EndingConfig): boolean =>
  linger > 0 || closeBuildsOnExit

/**
 * After the signal: reads and commits what is in the files, closes open builds with `--close-builds-on-exit`, and serves
 * for `--linger` at most, until the readers have received all of it.
 */
export async function endWatch(config: EndingConfig, deps: EndingDeps): Promise<void> {
  const { engine, log } = deps
  const isAllRead = await engine.finish(config.closeBuildsOnExit)
  if (!isAllRead) {
    log.warn(
      { event: 'not_all_read' },
      'Stopped before everything in the files was read and committed. ' +
        `The next start continues there${config.closeBuildsOnExit ? ', and open builds stay open' : ''}.`,
    )
  }
  if (engine.ready() && config.linger > 0) await linger(config, deps)
}

async function linger({ linger: lingerMs }: EndingConfig, deps: EndingDeps): Promise<void> {
  const { engine, log } = deps
  log.info(
    { event: 'lingering', seconds: lingerMs / 1000 },
    `Serving for up to ${duration(lingerMs)} until each series has been scraped with its last value.`,
  )
  await untilShown(engine.showing, deps)
  const { unshownSeries: series, unshownEntries: entries } = engine.showing.shown()
  if (series === 0) return log.info({ event: 'all_shown' }, 'Each series was scraped with its last value.')
  log.warn(
    { event: 'not_shown', series, entries },
    `${counted(series, 'series', 'series')} with ${counted(entries, 'entry', 'entries')} were not scraped with their last ` +
      `value within ${duration(lingerMs)}. Set --linger to at least four times the scrape interval.`,
  )
}

/**
 * Returns once everything has been shown, to a first reader and for the hold: other readers need time, at the end of a
 * series as at its start.
 */
async function untilShown(
  showing: Showing,
  { clock, waker, deadlineMs }: Pick<EndingDeps, 'clock' | 'waker' | 'deadlineMs'>,
): Promise<void> {
  showing.onReceived(() => waker.wake())
  for (;;) {
    const { unshownSeries, sinceMs } = showing.shown()
    const untilMs = unshownSeries > 0 ? deadlineMs : Math.min(deadlineMs, sinceMs + showing.holdMs)
    const leftMs = untilMs - clock.monotonicMs()
    if (leftMs <= 0) return
    await waker.wait(leftMs)
  }
}
