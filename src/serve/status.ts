export interface StatusView {
  version: string
  startedAtMs: number
  nowMs: number
  ready: boolean
  notReadyReason?: string
  stateDurable: boolean
  roots: { path: string; state: 'watching' | 'waiting' }[]
  files: {
    path: string
    state: 'hot' | 'cold' | 'rotated' | 'failing'
    sizeBytes: number
    countedBytes: number
    rejectedBytes: number
    skippedBytes: number
    pendingBytes: number
    lagBytes: number
    line: number
    lastReadAtMs: number | undefined
    error?: string
  }[]
  rejectedLines: Record<string, number>
  warnings: Record<string, number>
  entries: number
  tokens: number
  builds: Record<'first_pass' | 'after_rework' | 'failed' | 'abandoned', number>
  buildTokens: Record<'first_pass' | 'after_rework' | 'failed' | 'abandoned', number>
  buildsInProgress: number
  reworkCompletionTokens: number
  reworkErrorLogChars: number
  steps: { step: string; phase: string; entries: number; tokens: number }[]
  errorTypes: { errorType: string; entries: number; reworkTokens: number }[]
  contexts: { hash: string; version: string; firstSeenMs: number; entries: number }[]
}
