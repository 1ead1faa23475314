import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { priceList, type Price, type PriceList } from '../entry/prices.ts'
import { UsageError } from './usage-error.ts'

const usd = z
  .number({
    error: ({ input }) => (input === undefined ? 'is missing' : `is ${JSON.stringify(input)}, not a number`),
  })
  .nonnegative('is negative')

const schema = z.record(
  z.string().min(1),
  z.strictObject(
    { input: usd, cached: usd.optional(), output: usd },
    {
      error: ({ code, ...issue }) =>
        code === 'unrecognized_keys'
          ? `has unknown keys: ${(issue as { keys: string[] }).keys.join(', ')} (known: input, cached, output)`
          : 'is not a price: input, cached and output',
    },
  ),
  { error: 'is not a list of models with their prices' },
)

/**
 * Reads the `--prices` file, YAML or JSON: for each model `input`, `cached` (default: as `input`) and `output`, in US
 * dollars per million tokens. Throws a `UsageError` that names file, line, model, field and cause.
 */
export async function readPrices(file: string): Promise<Record<string, Price>> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(textOf(file), { lineCounter })
  const fail = (offset: number | undefined, cause: string): never => {
    const line = offset === undefined ? '' : `:${lineCounter.linePos(offset).line}`
    throw new UsageError(`--prices: ${file}${line}: ${cause}`)
  }
  const [fault] = document.errors
  if (fault !== undefined) fail(fault.pos[0], `is not YAML or JSON: ${fault.message.split('\n', 1)[0] ?? ''}`)
  const parsed = schema.safeParse(document.toJS())
  if (parsed.success) return parsed.data
  const { path = [], message = '' } = parsed.error.issues[0] ?? {}
  return fail(
    offsetOf(document, path),
    path.length === 0 ? `the file ${message}` : `${path.join('.')}: ${message}`,
  )
}

/** The prices by model; `undefined` without a file. */
export const readPriceList = async (file: string | undefined): Promise<PriceList | undefined> =>
  file === undefined ? undefined : priceList(await readPrices(file))

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UsageError(`--prices: ${file}: cannot be read: ${(error as Error).message}`)
  }
}

/** Where the value stands, or the nearest one around it that stands in the file. */
function offsetOf(
  document: { getIn(path: readonly unknown[], keepScalar: true): unknown },
  path: readonly PropertyKey[],
): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as
      { range?: readonly number[] | null } | undefined
    if (node?.range) return node.range[0]
  }
  return undefined
}
