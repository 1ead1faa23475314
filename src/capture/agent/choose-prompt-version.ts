/** One of several prompt versions that are compared. */
export interface WeightedVersion {
  /** The prompt version in the audits. */
  readonly version: string
  /** How often it is chosen, relative to the others. Default 1. With 0 it is never chosen. */
  readonly weight?: number
}

/** The chosen version, and the draw that it was chosen in. */
export type ChosenVersion<Version extends WeightedVersion> = Version & {
  /** For `instruction_assignment` of the entries: the versions of the draw with their weights. */
  readonly assignment: string
}

/**
 * Chooses one of several prompt versions for a build at random: the same for every call with this run id, so that it
 * survives retries, restarts and replays, whatever the order of the versions. Draws of different versions or weights
 * are independent of each other. A pure function without modules of Node.js: workflow code may call it.
 * Throws a `TypeError` if the run id is empty, if a version has no name or another's, or if no weight is above 0.
 */
export function choosePromptVersion<Version extends WeightedVersion>(
  runId: string,
  versions: readonly Version[],
): ChosenVersion<Version> {
  if (runId === '') throw refused('the run id is empty, and all builds would get the same version')
  const sorted = versions.toSorted((a, b) => (a.version < b.version ? -1 : 1))
  const total = sorted.reduce((sum, version) => sum + weightOf(version), 0)
  if (total === 0) throw refused('no version has a weight above 0')
  for (const [i, { version }] of sorted.entries()) {
    if (version === '') throw refused('a version has an empty name')
    if (version === sorted[i + 1]?.version) throw refused(`two versions are named "${version}"`)
  }
  const assignment = sorted.map((each) => `${each.version}:${String(weightOf(each))}`).join(' ')
  let left = fraction(`${assignment}\n${runId}`) * total
  const chosen = sorted.find((version) => (left -= weightOf(version)) < 0)
  // Rounding may leave a remainder behind the last one.
  const version = chosen ?? sorted.findLast((each) => weightOf(each) > 0)
  return { ...(version as Version), assignment }
}

function weightOf({ version, weight = 1 }: WeightedVersion): number {
  if (Number.isFinite(weight) && weight >= 0) return weight
  throw refused(`the weight of "${version}" is ${String(weight)}, not a number of 0 or more`)
}

const refused = (cause: string): TypeError => new TypeError(`cannot choose a prompt version: ${cause}`)

/** A number from 0 up to 1, evenly distributed over texts: 53 bits of two hashes (cyrb53, public domain). */
function fraction(text: string): number {
  let [a, b] = [0xde_ad_be_ef, 0x41_c6_ce_57]
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 2_654_435_761)
    b = Math.imul(b ^ code, 1_597_334_677)
  }
  const high = mixed(a, b)
  const low = mixed(b, high)
  return ((low & 0x1f_ff_ff) * 2 ** 32 + (high >>> 0)) / 2 ** 53
}

const mixed = (a: number, b: number): number =>
  Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909)
