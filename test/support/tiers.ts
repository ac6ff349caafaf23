/** Tiers in memory: what they hold can be looked at, and their bad days are ordered. */
import { randomBytes } from 'node:crypto'
import type { StorageClass } from '../../src/model/storage-class.ts'
import { tierOfRef, tierRef } from '../../src/model/tier-refs.ts'
import { TierCorrupt, TierFull, TierMissing, TierRefused, TierUnavailable } from '../../src/tiers/errors.ts'
import type { TierReadOptions, TierStore, Tiers, TierWriteOptions } from '../../src/tiers/store.ts'

interface Held {
  bytes: Buffer
  readonly dataKey: Buffer | undefined
}

export class MemoryTier implements TierStore {
  readonly name: string
  readonly held = new Map<string, Held>()
  /** What it does to whoever asks. `lying`: it answers that all is well and keeps other bytes. */
  mood: 'well' | 'away' | 'full' | 'refusing' | 'lying' = 'well'
  writes = 0
  reads = 0
  /** Called before a write or read is answered. */
  before: ((what: 'write' | 'read' | 'remove', ref: string) => Promise<void> | void) | undefined

  constructor(name: string) {
    this.name = name
  }

  async write(source: AsyncIterable<Uint8Array>, { ref, lengthBytes, encrypt }: TierWriteOptions) {
    await this.before?.('write', ref)
    this.#check('write')
    this.writes += 1
    const pieces: Uint8Array[] = []
    for await (const piece of source) pieces.push(Buffer.from(piece))
    const bytes = Buffer.concat(pieces)
    if (bytes.length !== lengthBytes) throw new Error(`${bytes.length} bytes came, and not ${lengthBytes}`)
    if (this.mood === 'lying') bytes.fill(0)
    const dataKey = encrypt ? randomBytes(32) : undefined
    this.held.set(ref, { bytes, dataKey })
    return { storedBytes: bytes.length, ...(dataKey === undefined ? {} : { dataKey }) }
  }

  async *read(ref: string, { lengthBytes, dataKey, range }: TierReadOptions): AsyncGenerator<Buffer> {
    await this.before?.('read', ref)
    this.#check('read')
    this.reads += 1
    const held = this.held.get(ref)
    if (held === undefined) throw new TierMissing(`Tier ${this.name} does not hold ${ref}`)
    const fits = held.dataKey === undefined ? dataKey === undefined : dataKey !== undefined && held.dataKey.equals(dataKey)
    if (!fits || held.bytes.length !== lengthBytes) throw new TierCorrupt(`Tier ${this.name} holds something else as ${ref}`)
    const { start, endInclusive } = range ?? { start: 0, endInclusive: lengthBytes - 1 }
    for (let at = start; at <= endInclusive; at += 64 * 1024) yield held.bytes.subarray(at, Math.min(at + 64 * 1024, endInclusive + 1))
  }

  async remove(ref: string): Promise<void> {
    await this.before?.('remove', ref)
    this.#check('remove')
    this.held.delete(ref)
  }

  status() {
    return { kind: 'folder', place: 'memory', state: this.mood === 'well' ? 'ok' : 'failing' } as const
  }

  async close(): Promise<void> {}

  #check(what: 'write' | 'read' | 'remove'): void {
    if (this.mood === 'away') throw new TierUnavailable(`Tier ${this.name} cannot be reached`)
    if (this.mood === 'refusing') throw new TierRefused(`Tier ${this.name} does not let us`)
    if (this.mood === 'full' && what === 'write') throw new TierFull(`Tier ${this.name} is full`)
  }
}

/** The classes of one tier each. */
export function memoryTiers(of: Partial<Record<StorageClass, MemoryTier>> = {}, boot = 1): Tiers {
  const all = [...new Set(Object.values(of))]
  return {
    tierFor: (storageClass) => of[storageClass],
    tierOf(ref) {
      const tier = all.find(({ name }) => name === tierOfRef(ref))
      if (tier === undefined) throw new TierRefused(`no tier of ${ref}`)
      return tier
    },
    newRef: ({ name }) => tierRef(name, { boot, randomId: randomBytes(16).toString('hex') }),
    all,
    close: async () => {},
  }
}
