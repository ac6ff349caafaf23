/** Clients that write, overwrite and delete under the shim's eyes, while the region is ended and started in between. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Client, createBucket } from '../../../test/limits/client.ts'
import { type Random, randomFrom } from '../../../test/limits/random.ts'
import { type Region, startRegion } from '../../../test/limits/region.ts'
import { Actor, plainBucket, versionedBucket } from '../actor.ts'
import { quickStarts, underShim } from '../environment.ts'
import { came } from '../eventually.ts'
import { type Cell, Ledger } from '../ledger.ts'
import { ShimControl } from '../shim/control.ts'

const actorsAtOnce = 8
const keysOfEach = 6
const versionsKept = 3
const lifeMaxMs = 120_000
/** Which sync fails, in a life in which one does. */
const failsAt = 10
/** How long the clients go on after it. */
const afterFailureMs = 300
const KiB = 1024

export interface LoadOptions {
  readonly folder: string
  readonly library: string
  readonly seed: number
  /** Bytes of records in each of the region's lives. */
  readonly lifeBytes: number
  readonly lives: readonly Life[]
  /** Syncs of paths with this in them do nothing. */
  readonly deaf?: string
  /** The program. Default: the product. */
  readonly entry?: string
}

export interface Life {
  /** A kill comes amid requests, a stop when they are done. */
  readonly end: 'stop' | 'kill'
  /** One sync of such a path fails. The life ends soon after, for it may be that nothing more is written. */
  readonly fails?: string
  /** Small objects only, so that most of what is written is the journal, and checkpoints come beside the writers. */
  readonly isTiny?: true
}

export interface Recorded {
  readonly ledger: Ledger
  readonly root: string
  readonly log: string
  /** From here on there are the buckets. */
  readonly from: number
}

export async function recordLoad(options: LoadOptions): Promise<Recorded> {
  const { folder, library, seed, lifeBytes, lives, deaf, entry } = options
  const root = join(folder, 'data')
  const log = join(folder, 'records')
  mkdirSync(root, { recursive: true })
  const control = new ShimControl(join(folder, 'control'))
  const environment = { ...underShim({ library, root, log, control: control.file, hasData: true, deaf }), ...quickStarts(dirname(library)) }
  const ledger = new Ledger(randomFrom(seed))
  const position = (): number => statSync(log).size
  const actors = Array.from(
    { length: actorsAtOnce },
    (_, n): Hand => ({ name: `actor-${n}`, random: randomFrom(seed + n + 1), versions: [] }),
  )
  let from = 0
  for (const life of lives) {
    const region = await startRegion({ folder, environment, ...(entry === undefined ? {} : { entry }) })
    const client = new Client(region.port)
    if (from === 0) {
      await createBucket(client, plainBucket)
      await createBucket(client, versionedBucket, { isVersioned: true })
      from = position()
    }
    await live({ life, lifeBytes, region, control, position, actors, actorOf: () => new Actor({ client, ledger, position }) })
    await client.close()
  }
  control.close()
  return { ledger, root, log, from }
}

interface Lived {
  readonly life: Life
  readonly lifeBytes: number
  readonly region: Region
  readonly control: ShimControl
  readonly actors: readonly Hand[]
  position(): number
  actorOf(): Actor
}

async function live({ life, lifeBytes, region, control, actors, position, actorOf }: Lived): Promise<void> {
  const untilBytes = position() + lifeBytes
  const isFull = (): boolean => position() > untilBytes
  let isToEnd = false
  const isOver = life.end === 'kill' ? (): boolean => !region.isAlive() : (): boolean => isToEnd
  if (life.fails === undefined) control.disarm()
  else control.arm({ at: failsAt, how: 'EIO', kind: 'S', match: life.fails })
  const writing = Promise.all(actors.map((hand) => write(hand, { actor: actorOf(), isTiny: life.isTiny === true, isOver })))
  const isMet = (): boolean => isFull() || control.read().hit !== undefined
  if (!(await came(isMet, lifeMaxMs))) throw new Error(`the load came to an end: ${region.log().slice(-2000)}`)
  await came(isFull, afterFailureMs)
  isToEnd = true
  if (life.end === 'kill') await region.kill()
  await writing
  if (life.end === 'stop') await region.stop()
}

/** Who writes, in every life of the region: always to its own keys. */
interface Hand {
  readonly name: string
  readonly random: Random
  readonly versions: Cell[]
}

interface Writing {
  readonly actor: Actor
  readonly isTiny: boolean
  isOver(): boolean
}

async function write({ name, random, versions }: Hand, { actor, isTiny, isOver }: Writing): Promise<void> {
  const keys = Array.from({ length: keysOfEach }, (_, n) => `${name}/${n}`)
  const tiny = (): number => random.below(200)
  const mixed = (): number => (random.oneIn(4) ? 129 * KiB + random.below(200 * KiB) : random.below(12 * KiB))
  const size = isTiny ? tiny : mixed
  const work: readonly (() => Promise<unknown>)[] = [
    ...Array.from({ length: 8 }, () => () => actor.put(random.pick(keys), size())),
    () => actor.remove(random.pick(keys)),
    () => actor.remove(random.pick(keys)),
    () => actor.removeMany([keys[0] ?? name, ...keys.slice(1).filter(() => random.oneIn(3))]),
    () => actor.multipart(random.pick(keys), !isTiny && random.oneIn(8) ? [5 * KiB * KiB, size() + 1] : [size() + 1]),
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
