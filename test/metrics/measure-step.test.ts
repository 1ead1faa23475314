import { expect, test } from 'vitest'
import { createEngineWorld, type EngineWorld } from '../setup/engine.ts'

const parts = async (world: EngineWorld): Promise<Record<string, number>> => {
  const scraped = [...(await world.scrape({ lost: true }))]
  return Object.fromEntries(
    scraped
      .filter(([key]) => key.startsWith('audit_prompt_tokens_total'))
      .map(([key, value]) => [/part="(\w+)"/.exec(key)?.[1] ?? '', value]),
  )
}

test('what is neither GEMINI.md nor instruction is the other part of a prompt', async () => {
  const world = await createEngineWorld({
    before: [{ prompt_token_count: 52_000, context_token_count: 4_800, instruction_token_count: 200 }],
  })
  expect(await parts(world)).toEqual({ context: 4_800, instruction: 200, other: 47_000 })
})

test('a prompt without a rest has no series for it', async () => {
  const world = await createEngineWorld({
    before: [{ prompt_token_count: 5_000, context_token_count: 4_800, instruction_token_count: 200 }],
  })
  expect(await parts(world)).toEqual({ context: 4_800, instruction: 200 })
})

test('a part that an entry does not give is in the rest, never all of it', async () => {
  const world = await createEngineWorld({
    before: [{ total_token_cost: 1_100, completion_token_count: 100, context_token_count: 600 }],
  })
  expect(await parts(world)).toEqual({ context: 600, other: 400 })
})

test('parts of a prompt of unknown size are not counted, because they have no share', async () => {
  const world = await createEngineWorld({
    before: [{ context_token_count: 600, instruction_token_count: 10 }, { prompt_token_count: 40 }],
  })
  expect(await parts(world)).toEqual({})
})

/** Deterministic, so that a failure can be repeated. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return state % below
  }
}

test('for any entries, the parts add up to the prompts that they split', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = createRandom(seed)
    const entries = Array.from({ length: 30 }, () => {
      const [context, instruction, rest] = [random(5_000), random(500), random(3) * random(40_000)]
      const given = random(4)
      return {
        prompt_token_count: context + instruction + rest,
        ...((given & 1) === 1 && { context_token_count: context }),
        ...((given & 2) === 2 && { instruction_token_count: instruction }),
      }
    })
    const world = await createEngineWorld({ before: entries })
    const split = entries.filter(
      (entry) => 'context_token_count' in entry || 'instruction_token_count' in entry,
    )
    const sum = Object.values(await parts(world)).reduce((total, value) => total + value, 0)
    expect(sum, `seed ${seed}`).toBe(split.reduce((total, entry) => total + entry.prompt_token_count, 0))
  }
})
