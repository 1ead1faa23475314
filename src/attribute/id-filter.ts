/** A set of ids in little memory, which may take an id for one that was added, but never the other way round. */
export interface IdFilter {
  add(id: string): void
  /** False if the id was certainly not added. */
  mayHave(id: string): boolean
}

/** 512 kB. Of 200,000 ids, it takes one in twenty others for one of them. */
const BITS = 1 << 22

export function createIdFilter(): IdFilter {
  const bits = new Uint8Array(BITS / 8)
  return {
    add(id) {
      const bit = hashOf(id)
      bits[bit >> 3] = (bits[bit >> 3] as number) | (1 << (bit & 7))
    },
    mayHave(id) {
      const bit = hashOf(id)
      return ((bits[bit >> 3] as number) & (1 << (bit & 7))) !== 0
    },
  }
}

/** FNV-1a over the UTF-16 code units, folded to the number of a bit. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 22)) & (BITS - 1)
}
