import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/setup/services.ts'],
    testTimeout: 30_000,
    // Scenario and service tests start real processes; two at a time is what a 2-core machine bears.
    maxWorkers: 2,
  },
})
