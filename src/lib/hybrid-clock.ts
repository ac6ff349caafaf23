/**
 * A hybrid logical clock: ids that follow wall time, never repeat, and stay in order when a clock steps back or regions disagree.
 * Kulkarni et al., "Logical Physical Clocks" (2014).
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Clock } from './clock.ts'

/** Merging a clock further ahead than this is refused: it would drag every later id with it. */
const aheadMaxMs = 15 * 60 * 1000

/** An ordered id has 32 characters: 48 bits of time, 16 of counter, 16 of region and 80 of chance, in base 32. */
const alphabet = '0123456789abcdefghijklmnopqrstuv' // order-preserving: RFC 4648 base32hex, lower case
const timeMax = 2 ** 48 - 1
const counterMax = 2 ** 16 - 1
const wellFormed = /^[0-9a-v]{32}$/

/** The other clock is too far ahead to be believed. */
export class ClockTooFarAhead extends Error {
  readonly aheadMs: number

  constructor(aheadMs: number) {
    super(`clock is ${Math.round(aheadMs / 1000)} s ahead of ours`)
    this.name = 'ClockTooFarAhead'
    this.aheadMs = aheadMs
  }
}

interface Moment {
  readonly timeMs: number
  readonly counter: number
}

/** Issues ordered ids: as text a newer id sorts *before* an older one, so that one index runs "key ascending, newest first". */
export class HybridClock {
  readonly #clock: Clock
  readonly #region: Buffer
  #last: Moment = { timeMs: 0, counter: 0 }

  constructor(options: { readonly clock: Clock; readonly region: string }) {
    this.#clock = options.clock
    this.#region = createHash('sha256').update(options.region).digest().subarray(0, 2)
  }

  /**
   * A new id, above every id issued or observed here before. Only a clock that was far ahead, and was set right, begins anew at the time of day: it
   * would take every later id to where nobody believes it.
   */
  issue(): string {
    const nowMs = this.#clock.nowMs()
    const aheadMs = this.#last.timeMs - nowMs
    this.#last = aheadMs < 0 || aheadMs > aheadMaxMs ? { timeMs: nowMs, counter: 0 } : next(this.#last)
    return this.#encode(this.#last)
  }

  /**
   * A new id above `id`. One that lies further in our future than is believed (some clock was ahead, and was set right since) is answered by the
   * next one above it, and not learned: ids of other things stay with the time of day.
   */
  issueAbove(id: string): string {
    try {
      this.observe(id)
    } catch (error) {
      if (!(error instanceof ClockTooFarAhead)) throw error
      return this.#encode(next(decodeOrderedId(id)))
    }
    return this.issue()
  }

  /**
   * Learns of an id made elsewhere: later ids are above it.
   * @throws ClockTooFarAhead when it lies more than 15 minutes in our future
   */
  observe(id: string): void {
    const there = decodeOrderedId(id)
    const aheadMs = there.timeMs - this.#clock.nowMs()
    if (aheadMs > aheadMaxMs) throw new ClockTooFarAhead(aheadMs)
    const { timeMs, counter } = this.#last
    if (there.timeMs > timeMs || (there.timeMs === timeMs && there.counter > counter)) this.#last = there
  }

  #encode(moment: Moment): string {
    return encode({ ...moment, region: this.#region, chance: randomBytes(10) })
  }
}

/** Whether text has the form of an ordered id. */
export function isOrderedId(text: string): boolean {
  return wellFormed.test(text)
}

/** Whether `left` was issued after `right`. */
export function isNewer(left: string, right: string): boolean {
  return left < right
}

/** The time and counter inside an ordered id. @throws RangeError when it is not one */
export function decodeOrderedId(id: string): Moment {
  if (!isOrderedId(id)) throw new RangeError('not an ordered id')
  let high = 0n
  for (const character of id.slice(0, 13)) high = (high << 5n) | BigInt(alphabet.indexOf(character))
  // 13 characters are 65 bits: 48 of time, 16 of counter, and one that belongs to the region.
  const bits = high >> 1n
  return { timeMs: timeMax - Number(bits >> 16n), counter: counterMax - Number(bits & 0xffffn) }
}

function next({ timeMs, counter }: Moment): Moment {
  return counter < counterMax ? { timeMs, counter: counter + 1 } : { timeMs: timeMs + 1, counter: 0 }
}

function encode(parts: Moment & { readonly region: Buffer; readonly chance: Buffer }): string {
  const bytes = Buffer.allocUnsafe(20)
  bytes.writeUIntBE(timeMax - parts.timeMs, 0, 6)
  bytes.writeUInt16BE(counterMax - parts.counter, 6)
  parts.region.copy(bytes, 8)
  parts.chance.copy(bytes, 10)
  let text = ''
  for (let at = 0; at < bytes.length; at += 5) {
    const high = bytes.readUInt32BE(at)
    const low = bytes[at + 4] ?? 0
    text += alphabet[high >>> 27]
    text += alphabet[(high >>> 22) & 31]
    text += alphabet[(high >>> 17) & 31]
    text += alphabet[(high >>> 12) & 31]
    text += alphabet[(high >>> 7) & 31]
    text += alphabet[(high >>> 2) & 31]
    text += alphabet[((high & 3) << 3) | (low >>> 5)]
    text += alphabet[low & 31]
  }
  return text
}
