import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { requireProgram } from '../setup/programs.ts'

const root = path.resolve(import.meta.dirname, '../..')
const directory = path.join(root, 'prometheus')
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8')

interface Alert {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}
interface Rules<T> {
  readonly groups: readonly { readonly rules: readonly T[] }[]
}
const alerts = (parse(read('prometheus/rules/alerts.yml')) as Rules<Alert>).groups.flatMap(
  ({ rules }) => rules,
)
const records = (parse(read('prometheus/rules/recording.yml')) as Rules<{ record: string }>).groups.flatMap(
  ({ rules }) => rules.map(({ record }) => record),
)

interface RuleTest {
  readonly tests: readonly {
    readonly alert_rule_test?: readonly {
      readonly alertname: string
      readonly exp_alerts?: readonly object[]
    }[]
    readonly promql_expr_test?: readonly { readonly expr: string }[]
  }[]
}
const testFiles = readdirSync(path.join(directory, 'tests')).map((file) =>
  path.join(directory, 'tests', file),
)
const cases = testFiles.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as RuleTest).tests.flatMap(({ alert_rule_test: found = [] }) => found),
)

test('there are the eleven alerts that the runbook promises', () => {
  expect(alerts.map(({ alert }) => alert).sort()).toEqual([
    'AuditContextRegression',
    'AuditErrorTypeSurge',
    'AuditExporterDown',
    'AuditExporterLagging',
    'AuditExporterRejectingLines',
    'AuditFirstPassRateDrop',
    'AuditLabelOverflow',
    'AuditReworkCostSpike',
    'AuditStateNotDurable',
    'AuditTokensPerSuccessHigh',
    'Watchdog',
  ])
})

test('promtool accepts the configuration and the rules', () => {
  const promtool = requireProgram('promtool')
  const run = (...args: string[]): string =>
    execFileSync(promtool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  expect(run('check', 'config', path.join(directory, 'prometheus.yml'))).toContain('SUCCESS')
  const rules = readdirSync(path.join(directory, 'rules')).map((file) => path.join(directory, 'rules', file))
  expect(run('check', 'rules', '--lint=all', '--lint-fatal', ...rules)).toContain('SUCCESS')
})

test.each(testFiles.map((file) => [path.basename(file), file]))(
  'every expectation in prometheus/tests/%s holds',
  (_, file) => {
    const promtool = requireProgram('promtool')
    expect(execFileSync(promtool, ['test', 'rules', file], { encoding: 'utf8' })).toContain('SUCCESS')
  },
)

test.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s says what is wrong with its numbers, and has a section in the runbook',
  (name, { annotations, labels }) => {
    expect(labels['severity']).toMatch(/^(critical|warning|none)$/)
    expect(labels['audit']).toMatch(/^(builds|exporter|alerting)$/)
    expect(annotations['summary']).toMatch(/\.$|\)\.$/)
    expect(annotations['description']).toMatch(/\{\{ .*\$value/)
    expect(annotations['runbook_url']).toBe(`docs/runbook.md#${name.toLowerCase()}`)
    expect(read('docs/runbook.md')).toContain(`\n## ${name}\n`)
  },
)

test.each(alerts.map(({ alert }) => alert))('%s has a case in which it fires', (name) => {
  const fires = cases.filter(
    ({ alertname, exp_alerts: expected = [] }) => alertname === name && expected.length > 0,
  )
  expect(fires.length).toBeGreaterThan(0)
})

test.each(alerts.map(({ alert }) => alert).filter((alert) => alert !== 'Watchdog'))(
  '%s has a case in which it stays quiet',
  (name) => {
    const quiet = cases.filter(
      ({ alertname, exp_alerts: expected = [] }) => alertname === name && expected.length === 0,
    )
    expect(quiet.length).toBeGreaterThan(0)
  },
)

test.each(records)('the recording rule %s is named level:metric:operation', (name) => {
  expect(name).toMatch(/^[a-z_]+:[a-z_]+:(increase\d+[hd](_offset\d+[hd])?|info)$/)
})

test('Alertmanager accepts its configuration', () => {
  // Debian's package brings both.
  const amtool = path.join(path.dirname(requireProgram('prometheus-alertmanager')), 'amtool')
  expect(
    execFileSync(amtool, ['check-config', path.join(directory, 'alertmanager.yml')], { encoding: 'utf8' }),
  ).toContain('SUCCESS')
})

test('an exporter that is down silences what its numbers would say of the builds', () => {
  const { inhibit_rules: rules } = parse(read('prometheus/alertmanager.yml')) as {
    inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[]
  }
  expect(rules[0]?.source_matchers.join()).toContain('AuditExporterDown')
  expect(rules[0]?.target_matchers).toEqual(['audit = "builds"'])
})
