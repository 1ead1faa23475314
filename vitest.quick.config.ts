import path from 'node:path'
import { defineConfig } from 'vitest/config'
import { quickFiles } from './test/setup/quick-files.ts'
import full from './vitest.config.ts'

const { quick, withPrograms, long } = quickFiles()
const all = quick.length + withPrograms.length + long.length
process.stderr.write(
  `${String(quick.length)} of ${String(all)} test files: without the ${String(withPrograms.length)} that start programs ` +
    `(daemon, Prometheus, Temporal, browsers, containers, npm) and ${String(long.length)} long ones. npm test runs all.\n`,
)

/** `npm run test:quick`: the tests that need nothing but Node.js, in less than two minutes. */
export default defineConfig({
  test: {
    ...full.test,
    include: quick.map((file) => path.relative(import.meta.dirname, file)),
    globalSetup: ['test/setup/run-directory.ts', 'test/setup/slowest-tests.ts'],
  },
})
