import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../src/capture/agent/instruction-text.ts'

describe('fillIn', () => {
  it('replaces placeholders, and does not expand placeholders in values', () => {
    expect(fillIn('{{a}} and {{b}}', { a: '{{b}} $&', b: '2' })).toBe('{{b}} $& and 2')
  })

  it('rejects a placeholder without a value', () => {
    expect(() => fillIn('{{missing}}', {})).toThrow('{{missing}}')
  })
})
