import { describe, test } from 'vitest'
import {
  before,
  family,
  newest,
  revisions,
  scope,
  uncovered,
} from '../../../grafana/parts/hidden-variables.ts'
import { runs, validations } from '../../../grafana/parts/measures.ts'
import { count } from '../../../grafana/parts/promql.ts'
import { CONTEXT, ERROR } from '../../../grafana/parts/selectors.ts'
import type { Variable } from '../../../grafana/parts/variables.ts'
import { queryOf } from '../../setup/board-variables.ts'
import { GENERATIONS } from '../../setup/generations.ts'
import { expectAnswers, type Series } from '../../setup/promtool.ts'

/** What the variables are: everything, everything in a time range that begins before there were sums, and two choices. */
const ALL = {
  context: '()',
  revisions: '()',
  uncovered: '()',
  family: 'audit_overall_',
  scope: 'audit_phase_',
}
const BEFORE_SUMS = { context: '()', revisions: '.+', uncovered: '.+', family: 'audit_', scope: 'audit_' }
const ONE = {
  context: 'aaaaaaaaaaaa',
  revisions: 'aaaaaaaaaaaa',
  uncovered: '()',
  family: 'audit_',
  scope: 'audit_',
}
const TWO = {
  context: '(aaaaaaaaaaaa|bbbbbbbbbbbb)',
  revisions: '(aaaaaaaaaaaa|bbbbbbbbbbbb)',
  uncovered: '()',
  family: 'audit_',
  scope: 'audit_',
}

const filled = (expr: string, values: Readonly<Record<string, string>>): string =>
  Object.entries({ ...values, job: '.*', __range: '1h' }).reduce(
    (text, [name, value]) => text.replaceAll(`\${${name}}`, value).replaceAll(`$${name}`, value),
    expr,
  )
const queryOfVariable = (variable: Variable, values: Readonly<Record<string, string>> = {}): string =>
  filled(queryOf(variable.build())!, values)

const TARGET = 'job="j",instance="i"'
/** From zero to a number, which it has from 25 minutes on. */
const series = (name: string, labels: string, to: number): Series => ({
  series: `${name}{${labels},${TARGET}}`,
  values: `0x100 ${to}x200`,
})
const entries = (hash: string, step: string, status: string, errorType: string, to: number) =>
  series(
    'audit_entries_total',
    `step="${step}",phase="${step === 'fix' ? 'rework' : 'verify'}",status="${status}",error_type="${errorType}",context_hash="${hash}"`,
    to,
  )

/** Numbers of sums are other ones than what they would add up to, so that each answer says where it is from. */
const INPUT: readonly Series[] = [
  entries('aaaaaaaaaaaa', 'check', 'fail', 'TSC', 3),
  entries('aaaaaaaaaaaa', 'check', 'pass', '', 4),
  entries('aaaaaaaaaaaa', 'fix', 'N/A', 'TSC', 5),
  entries('bbbbbbbbbbbb', 'check', 'fail', 'TSC', 10),
  entries('bbbbbbbbbbbb', 'check', 'fail', 'JEST', 20),
  entries('_other', 'check', 'fail', 'JEST', 100),
  series('audit_overall_entries_total', 'step="check",phase="verify",status="fail",error_type="TSC"', 1_000),
  series('audit_overall_entries_total', 'step="check",phase="verify",status="fail",error_type="JEST"', 2_000),
  series('audit_overall_entries_total', 'step="check",phase="verify",status="pass",error_type=""', 4_000),
  series('audit_phase_entries_total', 'phase="verify",status="fail"', 300),
  series('audit_phase_entries_total', 'phase="verify",status="pass"', 400),
  series('audit_context_entries_total', 'phase="rework",status="N/A",context_hash="aaaaaaaaaaaa"', 50),
  series('audit_context_entries_total', 'phase="verify",status="fail",context_hash="bbbbbbbbbbbb"', 60),
]

describe.each(GENERATIONS)('Prometheus %s', (generation) => {
  const expectAt = (
    input: readonly Series[],
    answers: readonly (readonly [string, Record<string, number>])[],
  ) =>
    expectAnswers(
      generation,
      input,
      answers.map(([expr, samples]) => ({ expr, at: '1h', samples })),
    )

  test('with all revisions a panel shows the sum over them, with chosen ones their own series', async () => {
    const failures = count('entries', { by: ['error_type'], where: `${CONTEXT},status="fail"` })
    await expectAt(INPUT, [
      [filled(failures, ALL), { '{error_type="TSC"}': 1_000, '{error_type="JEST"}': 2_000 }],
      [filled(failures, BEFORE_SUMS), { '{error_type="TSC"}': 13, '{error_type="JEST"}': 120 }],
      [filled(failures, ONE), { '{error_type="TSC"}': 3 }],
      [filled(failures, TWO), { '{error_type="TSC"}': 13, '{error_type="JEST"}': 20 }],
    ])
  })

  test('the same without labels, of alternatives', async () => {
    const validated = validations({ where: CONTEXT })
    await expectAt(INPUT, [
      [filled(validated, ALL), { '{}': 700 }],
      [filled(validated, { ...ALL, scope: 'audit_overall_' }), { '{}': 7_000 }],
      [filled(validated, BEFORE_SUMS), { '{}': 137 }],
      [filled(validated, ONE), { '{}': 7 }],
    ])
  })

  test('chosen error types are read by error type, all of them from the sums by phase', async () => {
    const failed = count('entries', { where: `${CONTEXT},status="fail",${ERROR}` })
    await expectAt(INPUT, [
      [filled(failed, { ...ALL, error: '.*' }), { '{}': 300 }],
      [filled(failed, { ...ALL, scope: 'audit_overall_', error: 'TSC' }), { '{}': 1_000 }],
      [filled(failed, { ...ONE, error: 'TSC' }), { '{}': 3 }],
    ])
  })

  test('by revision a panel shows the sums over steps and error types, or all series where there are none', async () => {
    const fixes = runs('rework', { by: ['context_hash'] })
    await expectAt(INPUT, [
      [filled(fixes, ALL), { '{context_hash="aaaaaaaaaaaa"}': 50 }],
      [filled(fixes, ONE), { '{context_hash="aaaaaaaaaaaa"}': 50 }],
      [filled(fixes, BEFORE_SUMS), { '{context_hash="aaaaaaaaaaaa"}': 5 }],
    ])
  })

  test('single series are read where sums have fewer builds in the time range than they', async () => {
    const builds = (hash: string, to: number) =>
      series('audit_builds_total', `outcome="failed",context_hash="${hash}"`, to)
    const sum = (to: number) => series('audit_overall_builds_total', 'outcome="failed"', to)
    const asked = queryOfVariable(uncovered())
    const both = [builds('aaaaaaaaaaaa', 3), builds('_other', 4)]
    await expectAt([...both, sum(7)], [[asked, { '{uncovered="()"}': 0 }]])
    await expectAt([...both, sum(6)], [[asked, { '{uncovered=".+"}': 7 }]])
    await expectAt(both, [[asked, { '{uncovered=".+"}': 7 }]])
    await expectAt([], [[asked, { '{uncovered="()"}': 0 }]])
  })

  test('the revisions whose series are added up are the chosen ones; if that is all, those that the sums lack', async () => {
    const asked = (values: Readonly<Record<string, string>>): string => queryOfVariable(revisions(), values)
    await expectAt(
      [],
      [
        [asked(ALL), { '{revisions="()"}': 0 }],
        [asked(BEFORE_SUMS), { '{revisions=".+"}': 0 }],
        [asked(ONE), { '{revisions="aaaaaaaaaaaa"}': 0 }],
        [asked(TWO), { [`{revisions="${TWO.revisions}"}`]: 0 }],
      ],
    )
  })

  test('sums are read only where no revisions have to be added up', async () => {
    const asked = ({ revisions }: { readonly revisions: string }): string =>
      queryOfVariable(family(), { revisions })
    await expectAt(
      [],
      [
        [asked(ALL), { '{family="audit_overall_",revisions="()"}': 0 }],
        [asked(BEFORE_SUMS), { '{family="audit_",revisions=".+"}': 0 }],
        [asked(TWO), { [`{family="audit_",revisions="${TWO.revisions}"}`]: 0 }],
      ],
    )
  })

  test('sums by phase are read with all error types where they cover the time range', async () => {
    const entriesOf = (family: string, labels: string, to: number): Series =>
      series(`${family}entries_total`, labels, to)
    const overall = entriesOf(
      'audit_overall_',
      'step="check",phase="verify",status="fail",error_type="TSC"',
      7,
    )
    const phase = (to: number): Series => entriesOf('audit_phase_', 'phase="verify",status="fail"', to)
    const all = { family: 'audit_overall_', error: '.*' }
    const asked = (values: Readonly<Record<string, string>>): string =>
      `count by (scope) (${queryOfVariable(scope('$error'), values)})`
    await expectAt(
      [overall, phase(7)],
      [
        [asked(all), { '{scope="audit_phase_"}': 1 }],
        [asked({ ...all, error: '(TSC|JEST)' }), { '{scope="audit_overall_"}': 1 }],
        [asked({ ...all, family: 'audit_' }), { '{scope="audit_"}': 1 }],
      ],
    )
    await expectAt([overall, phase(6)], [[asked(all), { '{scope="audit_overall_"}': 1 }]])
    await expectAt([overall], [[asked(all), { '{scope="audit_overall_"}': 1 }]])
    await expectAt([], [[asked(all), { '{scope="audit_overall_"}': 1 }]])
  })

  test('the newest revisions are those of the chosen ones with builds, and each has the one before it', async () => {
    const named = (name: string, labels: string, value: number): Series => ({
      series: `${name}{${labels}}`,
      values: `${value}x300`,
    })
    const hashes = ['aaaaaaaaaaaa', 'bbbbbbbbbbbb', 'cccccccccccc', 'dddddddddddd']
    const input = [
      ...hashes.map((hash, index) =>
        named('context_hash:audit_context_order:rank', `context_hash="${hash}"`, index),
      ),
      ...hashes
        .slice(1)
        .map((hash, index) =>
          named(
            'context_hash:audit_context_previous:info',
            `context_hash="${hash}",previous_hash="${hashes[index]}"`,
            1,
          ),
        ),
      // The last has none.
      ...hashes
        .slice(0, 3)
        .map((hash, index) =>
          series('audit_builds_total', `outcome="failed",context_hash="${hash}"`, 10 + 10 * index),
        ),
    ]
    const two = newest(2, 'any')
    await expectAt(input, [
      [queryOfVariable(two, ALL), { '{context_hash="cccccccccccc"}': 2, '{context_hash="bbbbbbbbbbbb"}': 1 }],
      [queryOfVariable(two, ONE), { '{context_hash="aaaaaaaaaaaa"}': 0 }],
      [queryOfVariable(newest(3, 'enough'), TWO), { '{context_hash="bbbbbbbbbbbb"}': 1 }],
      [
        queryOfVariable(before(), { newest: '(bbbbbbbbbbbb|cccccccccccc)' }),
        {
          'context_hash:audit_context_previous:info{context_hash="bbbbbbbbbbbb",previous_hash="aaaaaaaaaaaa"}': 1,
          'context_hash:audit_context_previous:info{context_hash="cccccccccccc",previous_hash="bbbbbbbbbbbb"}': 1,
        },
      ],
    ])
  })
})
