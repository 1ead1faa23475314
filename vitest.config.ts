import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/services.ts', 'test/setup/slowest-tests.ts'],
    // These limits only end tests that hang: on a busy machine everything may take ten times as long, and the
    // first test that needs the Temporal server waits until it is built.
    testTimeout: 300_000,
    hookTimeout: 900_000,
    expect: { poll: { timeout: 120_000 } },
    // Scenario and service tests start real processes; a 2-core machine can run two at a time.
    maxWorkers: 2,
  },
})
