import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { GENERATIONS, requireGeneration } from '../setup/generations.ts'
import { freePort } from '../setup/free-port.ts'
import { start, until } from '../setup/process.ts'
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
const records = ['revisions.yml', 'recording.yml'].flatMap((name) =>
  (parse(read(`prometheus/rules/${name}`)) as Rules<{ record: string }>).groups.flatMap(({ rules }) =>
    rules.map(({ record }) => record),
  ),
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

test('there are the twelve alerts of the runbook', () => {
  expect(alerts.map(({ alert }) => alert).sort()).toEqual([
    'AuditContextRegression',
    'AuditErrorTypeSurge',
    'AuditExporterDown',
    'AuditExporterGone',
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

test.each(GENERATIONS)('promtool %s accepts the configuration and the rules', async (generation) => {
  const promtool = await requireGeneration(generation, 'promtool')
  const run = (...args: string[]): string =>
    execFileSync(promtool, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  expect(run('check', 'config', path.join(directory, 'prometheus.yml'))).toContain('SUCCESS')
  const rules = readdirSync(path.join(directory, 'rules')).map((file) => path.join(directory, 'rules', file))
  expect(run('check', 'rules', '--lint=all', '--lint-fatal', ...rules)).toContain('SUCCESS')
})

test.each(
  GENERATIONS.flatMap((generation) =>
    testFiles.map((file) => [generation, path.basename(file), file] as const),
  ),
)('promtool %s: every expectation in prometheus/tests/%s holds', async (generation, _, file) => {
  const promtool = await requireGeneration(generation, 'promtool')
  expect(execFileSync(promtool, ['test', 'rules', file], { encoding: 'utf8' })).toContain('SUCCESS')
})

test.each(alerts.map((alert) => [alert.alert, alert] as const))(
  '%s gives its numbers in the description, and has a section in the runbook',
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
  '%s has a case in which it does not fire',
  (name) => {
    const quiet = cases.filter(
      ({ alertname, exp_alerts: expected = [] }) => alertname === name && expected.length === 0,
    )
    expect(quiet.length).toBeGreaterThan(0)
  },
)

test.each(alerts.map(({ alert }) => alert))('%s has a case with several exporters', (name) => {
  const fleet = testFiles
    .filter((file) => path.basename(file).startsWith('fleet'))
    .flatMap((file) => (parse(readFileSync(file, 'utf8')) as RuleTest).tests)
    .flatMap(({ alert_rule_test: found = [] }) => found)
  const fires = fleet.filter(
    ({ alertname, exp_alerts: expected = [] }) => alertname === name && expected.length > 0,
  )
  expect(fires.length).toBeGreaterThan(0)
})

test.each(records)('the recording rule %s is named level:metric:operation', (name) => {
  expect(name).toMatch(/^[a-z_]+:[a-z_]+:(increase\d+[hd](_offset\d+[hd])?|info|min|key|rank)$/)
})

test('Alertmanager accepts its configuration', () => {
  // Debian's package brings both.
  const amtool = path.join(path.dirname(requireProgram('prometheus-alertmanager')), 'amtool')
  expect(
    execFileSync(amtool, ['check-config', path.join(directory, 'alertmanager.yml')], { encoding: 'utf8' }),
  ).toContain('SUCCESS')
})

test('an exporter that is down or cannot commit inhibits the alerts that follow from it; every inhibition has an effect', async () => {
  const config = parse(read('prometheus/alertmanager.yml')) as { inhibit_rules: object[] }
  const builds = alerts.filter(({ labels }) => labels['audit'] === 'builds').map(({ alert }) => alert)
  const all = await allFiring(config)
  await expect.poll(all).toEqual(['AuditExporterLagging', ...builds].sort())

  expect(config.inhibit_rules.length).toBeGreaterThan(0)
  for (const rule of config.inhibit_rules) {
    const alone = await allFiring({ ...config, inhibit_rules: [rule] })
    await expect.poll(alone, { message: JSON.stringify(rule) }).not.toEqual([])
  }
})

test('one exporter of many that is down silences only what follows from it', async () => {
  const config = parse(read('prometheus/alertmanager.yml')) as object
  const onInstance = (instance: string, ...names: readonly string[]) =>
    names.map((alertname) => ({ labels: { alertname, job: 'sidecars', instance, audit: 'exporter' } }))
  const inhibited = await allFiring(config, [
    ...onInstance('pod-a', 'AuditExporterDown', 'AuditExporterLagging'),
    ...onInstance('pod-b', 'AuditExporterLagging'),
    { labels: { alertname: 'AuditReworkCostSpike', audit: 'builds' } },
  ])
  await expect.poll(inhibited).toEqual(['AuditExporterLagging'])
})

/** Starts a real Alertmanager in which alerts fire, by default all. The result asks it which of them are inhibited. */
async function allFiring(
  config: object,
  firing: readonly object[] = alerts.map(({ alert, labels }) => ({
    labels: { ...labels, alertname: alert },
  })),
): Promise<() => Promise<string[]>> {
  const program = requireProgram('prometheus-alertmanager')
  const scratch = mkdtempSync(path.join(tmpdir(), 'inhibition-'))
  onTestFinished(() => rmSync(scratch, { recursive: true, force: true }))
  const file = path.join(scratch, 'alertmanager.yml')
  writeFileSync(file, stringify(config))
  const address = `127.0.0.1:${await freePort()}`
  const { output } = start(program, [
    `--config.file=${file}`,
    `--storage.path=${path.join(scratch, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ])
  const api = `http://${address}/api/v2/alerts`
  const body = JSON.stringify(firing)
  const post = { method: 'POST', headers: { 'content-type': 'application/json' }, body }
  await until('Alertmanager takes the alerts', async () => (await fetch(api, post)).ok || undefined, {
    detail: output,
  })
  return async () => {
    const found = (await (await fetch(`${api}?active=false`)).json()) as { labels: { alertname: string } }[]
    return found.map(({ labels }) => labels.alertname).sort()
  }
}
