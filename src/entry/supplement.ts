import { shortName } from '../short-name.ts'
import type { Entry } from './parsed.ts'
import { microUsd, type PriceList } from './prices.ts'

/** What the exporter was told, and lines may leave out. */
export interface SupplementConfig {
  /** Its group `project`, matched against the absolute path of a file, is the project of the entries in it. */
  readonly projectFromPath?: RegExp | undefined
  readonly priceList?: PriceList | undefined
}

/**
 * Why an entry with tokens has no cost although there are prices: its model has no price, it names no model (`''`), or
 * only the sum of its prompt and completion is known.
 */
export type UnpricedReason = 'no_price' | 'no_model' | 'unsplit'

export interface Supplement {
  /** The entry with the project that the path of its file names, and the cost of its tokens. Its own values win. */
  complete(entry: Entry, path: string): Entry
}

/** Models that were reported as unpriced; further ones are not reported. */
const MAX_REPORTED = 1_000

/** `onUnpriced` is called once for each model and reason. */
export function createSupplement(
  { projectFromPath, priceList }: SupplementConfig,
  onUnpriced: (model: string, reason: UnpricedReason) => void,
): Supplement {
  const reported = new Set<string>()
  let lastPath: string | undefined
  let lastProject: string | undefined

  /** Consecutive entries usually come from the same file. */
  function projectOf(path: string): string | undefined {
    if (path !== lastPath) {
      lastPath = path
      const found = projectFromPath?.exec(path)?.groups?.['project']
      lastProject = found ? shortName(found) : undefined
    }
    return lastProject
  }

  function report(model: string, reason: UnpricedReason): undefined {
    const key = `${reason} ${model}`
    if (reported.has(key) || reported.size >= MAX_REPORTED) return
    reported.add(key)
    onUnpriced(model, reason)
  }

  function costOf(entry: Entry): number | undefined {
    const { model, promptTokens, completionTokens, spentTokens, cachedTokens = 0 } = entry
    if (priceList === undefined || spentTokens === undefined) return undefined
    if (model === undefined) return report('', 'no_model')
    const price = priceList.get(model)
    if (price === undefined) return report(model, 'no_price')
    if (promptTokens === undefined && completionTokens === undefined) return report(model, 'unsplit')
    const cached = promptTokens === undefined ? 0 : cachedTokens
    return microUsd({ prompt: promptTokens ?? 0, cached, completion: completionTokens ?? 0 }, price) / 1e6
  }

  return {
    complete(entry, path) {
      const project = entry.project ?? (projectFromPath === undefined ? undefined : projectOf(path))
      const costUsd = entry.costUsd ?? costOf(entry)
      return project === entry.project && costUsd === entry.costUsd ? entry : { ...entry, project, costUsd }
    },
  }
}
