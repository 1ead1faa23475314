export const HOUR_MS = 3_600_000
/** Lengths of a batch in hours. The longest of which there are enough batches is used. */
export const LENGTHS_HOURS = [24, 6, 1] as const
/** There must be at least this many batches more than groups to estimate how much batches differ. */
export const MIN_FREEDOM = 4

/** The builds of one group (a revision, a prompt version) within one batch. */
export interface BatchSums {
  readonly grp: string
  readonly batch: number
  readonly n: number
  /** Sum of the values. */
  readonly sum: number
  /** Sum of the squared values. */
  readonly squares: number
}

/** Number of batches minus number of groups: the degrees of freedom for the differences between batches. */
export const freedomOf = (sums: readonly Pick<BatchSums, 'grp' | 'batch'>[]): number =>
  new Set(sums.map(({ batch }) => batch)).size - new Set(sums.map(({ grp }) => grp)).size
