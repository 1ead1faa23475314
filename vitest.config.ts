import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/run-directory.ts', 'test/setup/services.ts', 'test/setup/slowest-tests.ts'],
    reporters: ['default', './test/setup/progress.ts'],
    // These limits only end tests that hang: on a busy machine everything may take ten times as long, and the
    // first test that needs a program built with Go (Temporal, Prometheus 3) waits for the build.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    expect: { poll: { timeout: 120_000 } },
    // Scenario and service tests start real processes; a 2-core machine can run two at a time.
    maxWorkers: 2,
  },
})
