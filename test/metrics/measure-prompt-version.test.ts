import { expect, test } from 'vitest'
import { createEngineWorld } from '../setup/engine.ts'

test('the version in the name of a step is a prompt version of its own, beside a written one of the same name', async () => {
  const world = await createEngineWorld({
    before: [
      { workflow_run_id: '1', step_name: 'implement_v2', completion_token_count: 10 },
      { workflow_run_id: '1', step_name: 'verify', validation_status: 'pass' },
      {
        workflow_run_id: '2',
        step_name: 'implement_v2',
        completion_token_count: 5,
        instruction_version: 'v2',
      },
      { workflow_run_id: '2', step_name: 'verify', validation_status: 'pass' },
      { workflow_run_id: '3', step_name: 'fix_attempt_2', completion_token_count: 7 },
    ],
  })
  const tokens = (instruction_version: string): Promise<number | undefined> =>
    world.peek('audit_instruction_tokens_total', {
      instruction_version,
      phase: 'implement',
      type: 'completion',
    })
  const builds = (instruction_version: string): Promise<number | undefined> =>
    world.peek('audit_instruction_builds_total', {
      instruction_version,
      phase: 'implement',
      outcome: 'first_pass',
    })
  expect([await tokens('v2 (step name)'), await tokens('v2')]).toEqual([10, 5])
  expect([await builds('v2 (step name)'), await builds('v2')]).toEqual([1, 1])
  const versions = [...(await world.scrape())].filter(([key]) => key.startsWith('audit_instruction_tokens'))
  expect(versions).toHaveLength(2)
})
