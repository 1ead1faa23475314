import type { Clock } from '../clock.ts'
import type { Engine } from '../engine.ts'
import type { Log } from '../log.ts'
import type { Showing } from '../metrics/showing.ts'
import type { Push } from '../push/push.ts'
import { counted, duration } from '../render/format.ts'
import type { Waker } from '../tail/loop.ts'
import type { WatchConfig } from './watch-flags.ts'
import type { Deadlines } from './watch-stop.ts'

export interface EndingDeps {
  readonly engine: Engine
  readonly log: Log
  readonly clock: Clock
  readonly waker: Waker
  readonly push?: Push | undefined
  readonly deadlines: Deadlines
}

type EndingConfig = Pick<WatchConfig, 'linger' | 'closeBuildsOnExit'>

/** Whether there is something to do between the signal and the end. */
export const hasEnding = ({ linger, closeBuildsOnExit }: EndingConfig): boolean =>
  linger > 0 || closeBuildsOnExit

/**
 * After the signal: reads and commits what is in the files, closes open builds with `--close-builds-on-exit`, pushes it
 * if there is an endpoint, and serves for `--linger` at most, until the readers have received all of it. What was pushed
 * needs no scrape.
 */
export async function endWatch(config: EndingConfig, deps: EndingDeps): Promise<void> {
  const { engine, log, push, deadlines } = deps
  const isAllRead = await engine.finish(config.closeBuildsOnExit)
  if (!isAllRead) {
    log.warn(
      { event: 'not_all_read' },
      'Stopped before everything in the files was read and committed. ' +
        `The next start continues there${config.closeBuildsOnExit ? ', and open builds stay open' : ''}.`,
    )
  }
  if (!engine.ready()) return
  const pushing = push?.flush(deadlines.pushedMs)
  if (config.linger > 0) await linger(config, deps, pushing)
  await pushing
}

async function linger(
  { linger: lingerMs }: EndingConfig,
  deps: EndingDeps,
  pushing: Promise<boolean> | undefined,
): Promise<void> {
  const { engine, log } = deps
  log.info(
    { event: 'lingering', seconds: lingerMs / 1000 },
    `Serving for up to ${duration(lingerMs)} until each series has been scraped with its last value.`,
  )
  if (await untilShown(engine.showing, deps, pushing)) return
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
 * series as at its start. Returns true at once when everything was pushed.
 */
async function untilShown(
  showing: Showing,
  { clock, waker, deadlines: { servedMs } }: Pick<EndingDeps, 'clock' | 'waker' | 'deadlines'>,
  pushing: Promise<boolean> | undefined,
): Promise<boolean> {
  let isPushed = false
  const noteWhenPushed = async (): Promise<void> => {
    isPushed = (await pushing) === true
    waker.wake()
  }
  void noteWhenPushed()
  showing.onReceived(() => waker.wake())
  for (;;) {
    if (isPushed) return true
    const { unshownSeries, sinceMs } = showing.shown()
    const untilMs = unshownSeries > 0 ? servedMs : Math.min(servedMs, sinceMs + showing.holdMs)
    const leftMs = untilMs - clock.monotonicMs()
    if (leftMs <= 0) return false
    await waker.wait(leftMs)
  }
}
