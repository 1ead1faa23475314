import { parseArgs } from 'node:util'
import { runChaos } from './rounds.ts'
import { formatReport } from './report.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now()) },
  },
})
const rounds = Number(values.rounds)
const startedMs = performance.now()
console.error(`seed ${values.seed}`)
const report = await runChaos({
  rounds,
  seed: values.seed,
  onRound: ({ rounds: done, kills }) =>
    done % 10 === 0 &&
    console.error(`round ${done} of ${rounds}, ${kills.outside + kills.chosen} kills, ${seconds()} s`),
})
console.log(formatReport(report, values.seed, seconds()))
process.exitCode = report.mismatches.length === 0 ? 0 : 1

function seconds(): number {
  return Math.round((performance.now() - startedMs) / 1000)
}
