/**
 * Which blobs are being read. A version may be deleted while a slow client still reads it; its bytes stay until the last reader is done.
 * Pins are counted in memory that all threads of a region share, by a hash of the blob's name: a blob may seem to be read when another is,
 * which puts its removal off and does no harm.
 */

/** Enough that two blobs seldom share a counter. A power of two. */
const counters = 64 * 1024

export class ReaderPins {
  readonly #own: Int32Array
  readonly #all: readonly Int32Array[]

  /** @param memory  one share a thread, made by `sharedPins` @param own  which of them is this thread's */
  constructor(memory: readonly SharedArrayBuffer[] = sharedPins(1), own = 0) {
    this.#all = memory.map((share) => new Int32Array(share))
    const share = this.#all[own]
    if (share === undefined) throw new RangeError(`there is no share ${own}`)
    this.#own = share
  }

  /** NOTE: pin first, then look at the row again. @returns to be called once, when the reader is done */
  pin(refs: readonly string[]): () => void {
    const places = refs.map(placeOf)
    for (const place of places) Atomics.add(this.#own, place, 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      for (const place of places) Atomics.sub(this.#own, place, 1)
    }
  }

  isPinned(ref: string): boolean {
    const place = placeOf(ref)
    return this.#all.some((share) => Atomics.load(share, place) > 0)
  }
}

export function sharedPins(threads: number): readonly SharedArrayBuffer[] {
  return Array.from({ length: threads }, () => new SharedArrayBuffer(counters * Int32Array.BYTES_PER_ELEMENT))
}

/** Drops the pins of a thread that died. */
export function dropPins(share: SharedArrayBuffer): void {
  new Int32Array(share).fill(0)
}

/** FNV-1a, 32 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
function placeOf(ref: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < ref.length; at++) hash = Math.imul(hash ^ ref.charCodeAt(at), 0x01000193)
  return (hash >>> 0) % counters
}
