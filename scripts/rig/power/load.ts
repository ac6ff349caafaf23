/** Clients that write, overwrite and delete under the shim's eyes, while the region is ended and started in between. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client, createBucket } from '../../../test/limits/client.ts'
import { type Random, randomFrom } from '../../../test/limits/random.ts'
import { startRegion } from '../../../test/limits/region.ts'
import { Actor, plainBucket, versionedBucket } from '../actor.ts'
import { quickStarts, underShim } from '../environment.ts'
import { came } from '../eventually.ts'
import { type Cell, Ledger } from '../ledger.ts'

const actorsAtOnce = 8
const keysOfEach = 6
const versionsKept = 3
const lifeMaxMs = 120_000
const KiB = 1024

export interface LoadOptions {
  readonly folder: string
  readonly library: string
  readonly seed: number
  /** Bytes of records in each of the region's lives. */
  readonly lifeBytes: number
  /** How each life ends. */
  readonly ends: readonly ('stop' | 'kill')[]
  /** Syncs of paths with this in them do nothing. */
  readonly deaf?: string
}

export interface Recorded {
  readonly ledger: Ledger
  readonly root: string
  readonly log: string
  /** From here on there are the buckets. */
  readonly from: number
}

export async function recordLoad({ folder, library, seed, lifeBytes, ends, deaf }: LoadOptions): Promise<Recorded> {
  const root = join(folder, 'data')
  const log = join(folder, 'records')
  mkdirSync(root, { recursive: true })
  const ledger = new Ledger(randomFrom(seed))
  const position = (): number => statSync(log).size
  const randoms = Array.from({ length: actorsAtOnce }, (_, n) => randomFrom(seed + n + 1))
  const versions: Cell[][] = randoms.map(() => [])
  let from = 0
  for (const end of ends) {
    const environment = { ...underShim({ library, root, log, hasData: true, deaf }), ...quickStarts(dirname(library)) }
    const region = await startRegion({ folder, environment })
    const client = new Client(region.port)
    if (from === 0) {
      await createBucket(client, plainBucket)
      await createBucket(client, versionedBucket, { isVersioned: true })
      from = position()
    }
    const untilBytes = position() + lifeBytes
    const isFull = (): boolean => position() > untilBytes
    // A kill comes amid requests, a stop when they are done.
    const isOver = end === 'kill' ? (): boolean => !region.isAlive() : isFull
    const writing = Promise.all(
      randoms.map((random, n) =>
        write({ actor: new Actor({ client, ledger, position }), random, name: `actor-${n}`, versions: versions[n] ?? [], isOver }),
      ),
    )
    if (!(await came(isFull, lifeMaxMs))) throw new Error(`the load came to an end: ${region.log().slice(-2000)}`)
    if (end === 'kill') await region.kill()
    await writing
    if (end === 'stop') await region.stop()
    await client.close()
  }
  return { ledger, root, log, from }
}

interface Writing {
  readonly actor: Actor
  readonly random: Random
  readonly name: string
  readonly versions: Cell[]
  isOver(): boolean
}

async function write({ actor, random, name, versions, isOver }: Writing): Promise<void> {
  const keys = Array.from({ length: keysOfEach }, (_, n) => `${name}/${n}`)
  const size = (): number => (random.oneIn(4) ? 129 * KiB + random.below(200 * KiB) : random.below(12 * KiB))
  const work: readonly (() => Promise<unknown>)[] = [
    ...Array.from({ length: 8 }, () => () => actor.put(random.pick(keys), size())),
    () => actor.remove(random.pick(keys)),
    () => actor.remove(random.pick(keys)),
    () => actor.removeMany([keys[0] ?? name, ...keys.slice(1).filter(() => random.oneIn(3))]),
    () => actor.multipart(random.pick(keys), random.oneIn(8) ? [5 * KiB * KiB, size() + 1] : [size() + 1]),
    async () => {
      const source = keys.find((key) => isKnownToBe(actor.plain(key)))
      if (source !== undefined) await actor.copy(source, random.pick(keys))
    },
    async () => {
      const made = await actor.putVersion(`${name}-v`, size())
      if (made !== undefined) versions.push(made)
      const gone = versions.length > versionsKept ? versions.shift() : undefined
      if (gone !== undefined) await actor.removeVersion(gone)
    },
  ]
  while (!isOver()) await random.pick(work)()
}

/** Whether the last that was asked of it was acknowledged, and left an object. */
function isKnownToBe({ events }: Cell): boolean {
  const last = events.at(-1)
  return last?.acknowledged !== undefined && last.state !== 'absent'
}
