import { expect, test } from 'vitest'
import { parseWatchConfig } from '../../src/commands/watch-flags.ts'
import { UsageError } from '../../src/config/usage-error.ts'

test.each([
  [{ buildTimeout: 'soon' }, '--build-timeout: "soon" is not a duration such as 30s, 5m, 1h30m'],
  [{ maxLineBytes: '0' }, '--max-line-bytes: "0" is not a size such as 64KiB, 16MiB'],
  [
    { phase: ['qa=x'] },
    '--phase: "qa=x" is not a rule PHASE=REGEX with a phase of scaffold, implement, rework, verify, other',
  ],
  [
    { phase: ['verify=('] },
    '--phase: "verify=(" is not a rule PHASE=REGEX with a phase of scaffold, implement, rework, verify, other',
  ],
])('%j is refused with the flag, the value and what is expected', (flags, message) => {
  const refused = () => parseWatchConfig({ roots: ['/builds'], ...flags })
  expect(refused).toThrow(UsageError)
  expect(refused).toThrow(message)
})
