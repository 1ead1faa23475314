import type { Reporter, TestModule, TestSpecification } from 'vitest/node'

/** At most one line in this time; with CI=true less often, because logs are read afterwards. */
const EVERY_MS = process.env['CI'] === 'true' ? 120_000 : 20_000

/** Prints how far a long run is: `45 of 165 files, 2 failed, 3 min 10 s`. */
export default class Progress implements Reporter {
  private total = 0
  private ended = 0
  private failed = 0
  private startedMs = 0
  private printedMs = 0

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    this.total = specifications.length
    this.ended = 0
    this.failed = 0
    this.startedMs = performance.now()
    this.printedMs = this.startedMs
  }

  onTestModuleEnd(module: TestModule): void {
    this.ended++
    if (!module.ok()) this.failed++
    const nowMs = performance.now()
    if (nowMs - this.printedMs < EVERY_MS || this.ended === this.total) return
    this.printedMs = nowMs
    const seconds = Math.round((nowMs - this.startedMs) / 1000)
    const elapsed = `${String(Math.floor(seconds / 60))} min ${String(seconds % 60)} s`
    const failed = this.failed === 0 ? '' : `, ${String(this.failed)} failed`
    process.stderr.write(`-- ${String(this.ended)} of ${String(this.total)} files${failed}, ${elapsed}\n`)
  }
}
