/** Shows the progress of a long run. */
export interface Progress {
  /** `done` of `total`; the unit is `B` for bytes, otherwise the plural of what is counted. */
  update(stage: string, done: number, total: number, unit: string): void
  /** Clears the last line. */
  end(): void
}

export interface ProgressDeps {
  readonly monotonicMs: () => number
  /** Rewrites the last line of a terminal; absent without a terminal. */
  readonly rewrite?: ((line: string) => void) | undefined
  /** Writes a line, as into a log; without a terminal it is called from time to time. */
  readonly complain: (line: string) => void
}

const REDRAW_MS = 200
const LOG_MS = 30_000
const WIDTH = 24

/**
 * Shows rate and remaining time: on a terminal as a bar, at most five times per second; elsewhere as a line every 30
 * seconds, so that a short run says nothing.
 */
export function createProgress({ monotonicMs, rewrite, complain }: ProgressDeps): Progress {
  const everyMs = rewrite === undefined ? LOG_MS : REDRAW_MS
  let stage = ''
  let startedMs = 0
  let shownMs = rewrite === undefined ? monotonicMs() : Number.NEGATIVE_INFINITY
  return {
    update(now, done, total, unit) {
      const nowMs = monotonicMs()
      const isNew = now !== stage
      if (isNew) {
        stage = now
        startedMs = nowMs
      }
      if (!(isNew && rewrite !== undefined) && nowMs - shownMs < everyMs) return
      shownMs = nowMs
      const state = { stage, done, total, unit, seconds: (nowMs - startedMs) / 1000 }
      if (rewrite === undefined) complain(sentence(state))
      else rewrite(bar(state))
    },
    end: () => rewrite?.(''),
  }
}

interface State {
  readonly stage: string
  readonly done: number
  readonly total: number
  readonly unit: string
  readonly seconds: number
}

function bar(state: State): string {
  const share = shareOf(state)
  const filled = Math.round(share * WIDTH)
  const drawn = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`
  return `${state.stage} ${drawn} ${Math.floor(share * 100)} %  ${pace(state)}`
}

const sentence = (state: State): string =>
  `${state.stage}: ${Math.floor(shareOf(state) * 100)} %, ${pace(state)}`

const shareOf = ({ done, total }: State): number => (total === 0 ? 1 : Math.min(1, done / total))

/** The rate, and the time that is left at this rate. */
function pace({ done, total, unit, seconds }: State): string {
  const rate = seconds > 0 ? done / seconds : 0
  const left = rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : ''
  return `${amount(rate, unit)}/s${left}`
}

const amount = (value: number, unit: string): string =>
  unit === 'B' ? `${(value / 1e6).toFixed(1)} MB` : `${Math.round(value).toLocaleString('en-US')} ${unit}`
