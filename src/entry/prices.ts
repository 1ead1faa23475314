import { shortName } from '../short-name.ts'

/** US dollars per million tokens. */
export interface Price {
  readonly input: number
  /** For the part of the input that came from a cache. Default: the same as `input`. */
  readonly cached?: number | undefined
  /** Including thinking. */
  readonly output: number
}

interface PricedTokens {
  /** Including `cached`. */
  readonly prompt: number
  readonly cached: number
  readonly completion: number
}

/** What tokens cost in millionths of a US dollar: the unit in which a price per million tokens is one per token. */
export const microUsd = ({ prompt, cached, completion }: PricedTokens, price: Price): number =>
  (prompt - cached) * price.input + cached * (price.cached ?? price.input) + completion * price.output

/** Prices by model. A name is cut as that of an entry's model is. */
export type PriceList = ReadonlyMap<string, Price>

export const priceList = (prices: Readonly<Record<string, Price>>): PriceList =>
  new Map(Object.entries(prices).map(([model, price]) => [shortName(model), price]))
