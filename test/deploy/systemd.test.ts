import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startDaemon } from '../setup/daemon.ts'
import { temporaryDirectory } from '../setup/exporter.ts'
import { requireProgram } from '../setup/programs.ts'

const SYSTEMD = path.resolve(import.meta.dirname, '../../deploy/systemd')
const UNIT = readFileSync(path.join(SYSTEMD, 'audit-trace-exporter.service'), 'utf8')
const PROGRAM = '/usr/local/bin/audit-trace-exporter'

/** The values of a setting, in order. */
const settings = (name: string): string[] =>
  [...UNIT.matchAll(new RegExp(`^${name}=(.*)$`, 'gmu'))].map(([, value = '']) => value)

/** A copy of the unit whose program exists, as after the installation. */
function installed(unit: string): string {
  const directory = temporaryDirectory()
  const program = path.join(directory, 'audit-trace-exporter')
  writeFileSync(program, '#!/bin/sh\n')
  chmodSync(program, 0o755)
  const file = path.join(directory, 'audit-trace-exporter.service')
  writeFileSync(file, unit.replaceAll(PROGRAM, program))
  return file
}

function analyze(...args: string[]): { code: number | null; output: string } {
  const program = requireProgram('systemd-analyze')
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return { code: status, output: stdout + stderr }
}

test('systemd accepts every line of the unit', () => {
  expect(analyze('verify', installed(UNIT))).toEqual({ code: 0, output: '' })
})

test('a misspelt setting is told', () => {
  const unit = UNIT.replace('ProtectSystem=', 'ProtectSystems=')
  expect(analyze('verify', installed(unit)).output).toContain('ProtectSystems')
})

/** In tenths, as systemd wants its threshold: the unit of Debian's Prometheus has 4.0, that of its node exporter 9.2. */
const MOST_EXPOSURE = 15

test('the exposure of the unit is far below that of the units of Prometheus', () => {
  const exposure = (unit: string) =>
    analyze(
      'security',
      '--no-pager',
      '--offline=true',
      `--threshold=${MOST_EXPOSURE}`,
      path.relative(process.cwd(), installed(unit)),
    )
  expect(exposure(UNIT).code).toBe(0)
  expect(exposure(UNIT.replace('DynamicUser=yes', 'User=root')).code).not.toBe(0)
})

test('the exporter starts with the arguments, variables and options of Node.js of the unit', async () => {
  const defaults = readFileSync(path.join(SYSTEMD, 'audit-trace-exporter.default'), 'utf8')
  const [roots] = [...defaults.matchAll(/^ARGS="(.*)"$/gmu)].map(([, args]) => args)
  expect(settings('ExecStart')).toEqual([`${PROGRAM} watch $ARGS`])
  expect(roots).toBe('/srv/builds')
  const [options] = settings('Environment').flatMap(
    (value) => /^"NODE_OPTIONS=(.*)"$/u.exec(value)?.[1] ?? [],
  )
  expect(options).toContain('--disable-sigusr1')
  // The commented lines of the file: what somebody may switch on.
  const variables = [...defaults.matchAll(/^#(AUDIT_\w+)=(.+)$/gmu)].map(([, name, value]) => [name, value])
  expect(variables.map(([name]) => name)).toEqual([
    'AUDIT_LISTEN',
    'AUDIT_WEB_CONFIG',
    'AUDIT_NEW_SERIES_HOLD',
  ])
  const { AUDIT_WEB_CONFIG: _, ...env } = Object.fromEntries(variables) as Record<string, string>
  const daemon = await startDaemon({
    roots: [temporaryDirectory()],
    state: temporaryDirectory(),
    env: { ...env, NODE_OPTIONS: options },
  })
  await daemon.ready()
})
