/** Numbers that a seed repeats. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number
  /** True once in `n` times. */
  oneIn(n: number): boolean
  pick<T>(from: readonly T[]): T
  bytes(length: number): Buffer
}

/** mulberry32: small, and good enough to choose what a test does. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => next() % limit
  return {
    below,
    oneIn: (n) => below(n) === 0,
    pick: (from) => from[below(from.length)] as (typeof from)[number], // never empty
    bytes(length) {
      const out = Buffer.alloc(Math.ceil(length / 4) * 4)
      for (let at = 0; at < out.length; at += 4) out.writeUInt32LE(next(), at)
      return out.subarray(0, length)
    },
  }
}

/** Another seed for each run; FARSHORE_TEST_SEED repeats one. */
export function chooseSeed(): number {
  const given = process.env['FARSHORE_TEST_SEED']
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
}
