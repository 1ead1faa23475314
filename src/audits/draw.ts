import { MIN_GROUP } from './comparison.ts'

/** How many builds of a draw were assigned a prompt version. */
export interface DrawSize {
  /** As `instruction_assignment` has it. */
  readonly draw: string
  readonly version: string
  readonly n: number
}

/**
 * The draw in which enough builds were assigned either version; the largest of several, as builds of different draws may
 * differ. `undefined`: the versions are compared as they were used.
 */
export function drawOfBoth(
  sizes: readonly DrawSize[],
  { first, second }: { readonly first: string; readonly second: string },
): string | undefined {
  const smaller = [...Map.groupBy(sizes, ({ draw }) => draw)].map(([name, rows]) => {
    const sizeOf = (version: string): number => rows.find((row) => row.version === version)?.n ?? 0
    return { name, n: Math.min(sizeOf(first), sizeOf(second)) }
  })
  return smaller
    .filter(({ n }) => n >= MIN_GROUP)
    .toSorted((a, b) => b.n - a.n || (a.name < b.name ? -1 : 1))[0]?.name
}
