import { expect, test } from 'vitest'
import { priceList } from '../../src/entry/prices.ts'
import { createEngineWorld } from '../setup/engine.ts'
import { seriesKey } from '../setup/exposition.ts'
import { settle } from '../setup/series.ts'

const tokens = (scraped: ReadonlyMap<string, number>, model: string): Record<string, number> =>
  Object.fromEntries(
    ['prompt', 'cached', 'completion', 'unsplit'].flatMap((type) => {
      const value = scraped.get(seriesKey('audit_model_tokens_total', { phase: 'scaffold', model, type }))
      return value === undefined ? [] : [[type, value]]
    }),
  )

test('the types of a model add up to its tokens: what is cached is not counted as prompt again', async () => {
  const world = await createEngineWorld()
  world.append(
    { model: 'pro', prompt_token_count: 100, cached_token_count: 60, completion_token_count: 10 },
    { model: 'pro', prompt_token_count: 50, completion_token_count: 5 },
    { model: 'pro', total_token_cost: 7, cached_token_count: 3 },
    { model: 'flash', completion_token_count: 9, cached_token_count: 4 },
    { prompt_token_count: 1_000 },
  )
  await world.read()
  const scraped = await settle(world)
  expect(tokens(scraped, 'pro')).toEqual({ prompt: 90, cached: 60, completion: 15, unsplit: 7 })
  expect(tokens(scraped, 'flash')).toEqual({ completion: 9 })
  expect(
    [...scraped.keys()].filter((key) => key.includes('unknown') && key.includes('model_tokens')),
  ).toEqual([])
})

test('more cached tokens than the prompt has count as the whole prompt, with a warning', async () => {
  const world = await createEngineWorld()
  world.append({ model: 'pro', prompt_token_count: 100, cached_token_count: 101 })
  await world.read()
  const scraped = await settle(world)
  expect(tokens(scraped, 'pro')).toEqual({ prompt: 0, cached: 100 })
  expect(scraped.get('audit_exporter_entry_warnings_total{reason="cached_mismatch"}')).toBe(1)
})

test('prices give the cost of entries without one; other prices count from then on', async () => {
  const options = { priceList: priceList({ pro: { input: 1, cached: 0.5, output: 2 } }) }
  const world = await createEngineWorld(options)
  const entry = { model: 'pro', prompt_token_count: 2_000_000, cached_token_count: 1_000_000 }
  const cost = async (): Promise<number | undefined> =>
    (await settle(world)).get(seriesKey('audit_cost_usd_total', { phase: 'scaffold', model: 'pro' }))
  world.append(entry, { ...entry, cost_usd: 100 }, { model: 'new', prompt_token_count: 1 })
  await world.read()
  expect(await cost()).toBe(101.5)
  expect(world.exporter.told.filter(({ event }) => event === 'modelUnpriced')).toEqual([
    { event: 'modelUnpriced', args: ['new', 'no_price'] },
  ])
  options.priceList = priceList({ pro: { input: 10, output: 2 } })
  await world.restart()
  expect(await cost()).toBe(101.5)
  world.append(entry)
  await world.read()
  expect(await cost()).toBe(121.5)
})
