import { inject, TestRunner } from 'vitest'
import { findProgram } from './find-program.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** Why a program could not be installed, by program; set once by services.ts. */
    installFailures: Record<string, string>
  }
}

export const DEBIAN_PACKAGES = {
  promtool: 'prometheus',
  prometheus: 'prometheus',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  chromium: 'chromium',
  python3: 'python3',
  pip3: 'python3-pip',
  'systemd-analyze': 'systemd',
  jsonschema: 'python3-jsonschema',
  java: 'openjdk-17-jre-headless',
  jq: 'jq',
  strace: 'strace',
  podman: 'podman',
  crun: 'crun',
  debootstrap: 'debootstrap',
  dockerd: 'docker.io',
  docker: 'docker.io',
  runc: 'runc',
} as const

export type Program = keyof typeof DEBIAN_PACKAGES

/** Returns the path of a program. Without the program the test is skipped with the reason, or fails with CI=true. */
export function requireProgram(program: Program): string {
  const found = findProgram(program)
  if (found !== undefined) return found
  const cause = inject('installFailures')[program] ?? 'it is not on PATH'
  return skipTest(`needs ${program} (Debian package ${DEBIAN_PACKAGES[program]}): ${cause}`)
}

/** Skips the running test; with CI=true the test fails instead. */
export function skipTest(reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(reason)
  const test = TestRunner.getCurrentTest()
  if (test === undefined) throw new Error(`${reason} (call this inside a test)`)
  return test.context.skip(reason)
}
