/** A set of hashes in little memory, which may take one for another that was added, but never the other way round. */
export interface HashFilter {
  add(hash: number): void
  /** False if the hash was certainly not added. */
  mayHave(hash: number): boolean
}

/** 512 kB. Of 200,000 hashes, it takes one in twenty others for one of them. */
const BITS = 1 << 22

export function createHashFilter(): HashFilter {
  const bits = new Uint8Array(BITS / 8)
  return {
    add(hash) {
      const bit = bitOf(hash)
      bits[bit >> 3] = (bits[bit >> 3] as number) | (1 << (bit & 7))
    },
    mayHave(hash) {
      const bit = bitOf(hash)
      return ((bits[bit >> 3] as number) & (1 << (bit & 7))) !== 0
    },
  }
}

const bitOf = (hash: number): number => (hash ^ (hash >>> 22)) & (BITS - 1)
