/** Shows the progress of a long run. */
export interface Progress {
  /** `done` of `total`; the unit is `B` for bytes, otherwise the plural of what is counted. */
  update(stage: string, done: number, total: number, unit: string): void
  /** Clears the last line. */
  end(): void
}

export interface ProgressDeps {
  readonly monotonicMs: () => number
  /** Rewrites the last line of a terminal; absent without a terminal, and then nothing is shown. */
  readonly rewrite?: ((line: string) => void) | undefined
}

const EVERY_MS = 200
const WIDTH = 24

/** Draws a bar with rate and remaining time, at most five times per second. */
export function createProgress({ monotonicMs, rewrite }: ProgressDeps): Progress {
  let stage = ''
  let startedMs = 0
  let shownMs = Number.NEGATIVE_INFINITY
  return {
    update(now, done, total, unit) {
      if (rewrite === undefined) return
      const nowMs = monotonicMs()
      if (now !== stage) {
        stage = now
        startedMs = nowMs
      } else if (nowMs - shownMs < EVERY_MS) return
      shownMs = nowMs
      rewrite(bar({ stage, done, total, unit, seconds: (nowMs - startedMs) / 1000 }))
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

function bar({ stage, done, total, unit, seconds }: State): string {
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const filled = Math.round(share * WIDTH)
  const rate = seconds > 0 ? done / seconds : 0
  const left = rate > 0 ? `, ${Math.ceil((total - done) / rate)} s left` : ''
  const drawn = `${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)}`
  return `${stage} ${drawn} ${Math.floor(share * 100)} %  ${amount(rate, unit)}/s${left}`
}

const amount = (value: number, unit: string): string =>
  unit === 'B' ? `${(value / 1e6).toFixed(1)} MB` : `${Math.round(value).toLocaleString('en-US')} ${unit}`
