/** The object service on a real disk with small segments, and the engines that give space back, run by hand or beside the test. */
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { type BlobStoreOptions, openBlobStore } from '../../src/blobs/open-blob-store.ts'
import { createKeyring } from '../../src/blobs/seal.ts'
import type { BlobStore } from '../../src/blobs/store.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { type Engine, runEngine } from '../../src/lib/engine.ts'
import { createHashers } from '../../src/lib/hash.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import { createPace } from '../../src/lib/pace.ts'
import type { Metadata } from '../../src/metadata/engine.ts'
import { schema } from '../../src/metadata/schema.ts'
import { openSqlite } from '../../src/metadata/sqlite/open.ts'
import { bucketByName } from '../../src/metadata/tables/buckets.ts'
import { type AnyTransaction, transactions, usesReserve } from '../../src/metadata/transactions.ts'
import type { Bucket } from '../../src/model/bucket.ts'
import type { ObjectVersion } from '../../src/model/version.ts'
import { type CompactionParts, createCompaction } from '../../src/objects/compaction.ts'
import { contentOf } from '../../src/objects/content.ts'
import { createObjects, type Objects } from '../../src/objects/objects.ts'
import type { ObjectParts } from '../../src/objects/parts.ts'
import { ReaderPins } from '../../src/objects/reader-pins.ts'
import { createReclaim } from '../../src/objects/reclaim.ts'
import { SegmentWatch } from '../../src/objects/segment-watch.ts'
import type { Tiers } from '../../src/tiers/store.ts'
import { memoryTiers } from '../support/tiers.ts'

/** The same in every process that opens a folder. */
export const masterKey = Buffer.alloc(32, 7)
export const segmentLimitBytes = 1024 * 1024
export const never = new AbortController().signal

export interface Space {
  readonly folder: string
  readonly parts: ObjectParts
  readonly metadata: Metadata
  readonly blobs: BlobStore
  readonly objects: Objects
  readonly reclaim: Engine
  readonly compaction: Engine
  bucket(name: string): Promise<Bucket>
  put(bucket: Bucket, key: string, bytes: Buffer, options?: { readonly isEncrypted?: boolean }): Promise<ObjectVersion>
  get(bucket: Bucket, key: string): Promise<Buffer>
  /** Runs engines until the test ends or the answer is called. */
  run(...engines: readonly Engine[]): () => Promise<void>
  close(): Promise<void>
}

export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'farshore-space-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface SpaceOptions {
  readonly folder: string
  readonly compaction?: Partial<CompactionParts>
  readonly blobs?: Partial<BlobStoreOptions>
  readonly clock?: Clock
  readonly tiers?: (boot: number) => Tiers | Promise<Tiers>
  /** Puts something between the stores and those who use them. */
  readonly between?: (parts: ObjectParts) => ObjectParts
  /** Besides those of a region. */
  readonly transactions?: Readonly<Record<string, AnyTransaction>>
}

export async function openSpace({ folder, clock = systemClock, ...options }: SpaceOptions): Promise<Space> {
  const directory = join(folder, 'metadata')
  const all = { ...transactions, ...options.transactions }
  const opened = await openSqlite({ directory, transactions: all, usesReserve, schema, clock, reserveBytes: 1 })
  const disk = await openBlobStore({ directory: join(folder, 'blobs'), boot: opened.boot, segmentLimitBytes, ...options.blobs })
  const stores: ObjectParts = {
    metadata: opened,
    blobs: disk,
    hashing: await createHashers(),
    keyring: createKeyring(masterKey),
    ids: new HybridClock({ clock, region: 'us-east-1' }),
    clock,
    tiers: (await options.tiers?.(opened.boot)) ?? memoryTiers(),
    readers: new ReaderPins(),
    encryptByDefault: false,
  }
  const parts = options.between?.(stores) ?? stores
  const { metadata, blobs } = parts
  for (const [name, value] of [
    ['region', 'us-east-1'],
    ['master key', parts.keyring.keyId],
  ] as const) {
    await metadata.commit({ tx: 'rememberFact', name, value })
  }
  const objects = createObjects(parts)
  const watch = new SegmentWatch()
  const log = { warn: () => undefined }
  const running = new Set<() => Promise<void>>()
  return {
    folder,
    parts,
    metadata,
    blobs,
    objects,
    reclaim: createReclaim({ ...parts, clock, onFreed: (refs) => watch.freed(refs) }),
    compaction: createCompaction({ ...parts, watch, clock, log, settleMs: 0, pace: createPace(1e12), ...options.compaction }),
    async bucket(name) {
      const bucket = { name, id: randomBytes(4).toString('hex'), region: 'us-east-1', ownerId: 'owner', createdMs: 1 }
      const change = { kind: 'createBucket', bucket, settings: {} } as const
      await metadata.commit({ tx: 'appendControl', selfRegion: 'us-east-1', requestId: bucket.id, change })
      return await standingBucket(metadata, name)
    },
    async put(bucket, key, bytes, { isEncrypted = false } = {}) {
      const attributes = {
        ownerId: 'owner',
        storageClass: 'STANDARD',
        system: { contentType: 'text/plain' },
        user: [],
        tags: [],
        acl: [],
        encryption: isEncrypted ? ('AES256' as const) : undefined,
      } as const
      const made = await objects.put({ bucket, key, attributes, claims: {}, signal: never }, contentOf(bytes.length, once(bytes)))
      return made.version
    },
    get: async (bucket, key) => await gather(await objects.open(await objects.find({ bucket, key }), { signal: never })),
    run(...engines) {
      const stop = new AbortController()
      const ended = Promise.all(engines.map((engine) => runEngine(engine, { signal: stop.signal, log })))
      const end = async (): Promise<void> => {
        stop.abort(new Error('the test is over'))
        await ended
        running.delete(end)
      }
      running.add(end)
      return end
    },
    async close() {
      for (const end of running) await end()
      await blobs.close()
      await metadata.close()
    },
  }
}

/** One that closes with the test. */
export async function useSpace(options: Partial<SpaceOptions> = {}): Promise<Space> {
  const space = await openSpace({ folder: await ownFolder(), ...options })
  onTestFinished(() => space.close())
  return space
}

export async function standingBucket(metadata: Metadata, name: string): Promise<Bucket> {
  const bucket = await metadata.read(() => bucketByName(name))
  if (bucket === undefined) throw new Error(`there is no bucket ${name}`)
  return bucket
}

/** Works until an engine has nothing to do. */
export async function drain(...engines: readonly Engine[]): Promise<void> {
  for (let isBusy = true; isBusy; ) {
    isBusy = false
    for (const engine of engines) if ((await engine.work(never)) === 'busy') isBusy = true
  }
}

/** Bytes of the files below a folder, as they lie on the disk. */
export async function diskBytes(folder: string): Promise<number> {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const facts = await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
    sum += (facts?.blocks ?? 0) * 512
  }
  return sum
}

export async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  if (bytes.length > 0) yield bytes
}

export async function gather(content: Buffer | AsyncIterable<Buffer>): Promise<Buffer> {
  if (Buffer.isBuffer(content)) return content
  const pieces: Buffer[] = []
  for await (const piece of content) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

/** Bytes that can be made again from their name: what a key must hold is known without keeping it. */
export function bytesFor(name: string, length: number): Buffer {
  const block = createHash('sha512').update(name).digest()
  return Buffer.alloc(length, block)
}

/** Objects k0, k1, …, each with the bytes for its key. */
export async function fill(space: Space, bucket: Bucket, of: { count: number; bytes: number; isEncrypted?: boolean }): Promise<void> {
  const keys = Array.from({ length: of.count }, (_, n) => `k${n}`)
  const options = { isEncrypted: of.isEncrypted ?? false }
  for (let at = 0; at < keys.length; at += 32) {
    await Promise.all(keys.slice(at, at + 32).map((key) => space.put(bucket, key, bytesFor(key, of.bytes), options)))
  }
}

/** Makes whatever small is in `bucket` stand nearly alone in its segment, and lets compaction move it. */
export async function emptyAround(space: Space, bucket: Bucket): Promise<void> {
  await fill(space, bucket, { count: 70, bytes: 16 * 1024 })
  for (let n = 0; n < 70; n++) await space.objects.delete({ bucket, key: `k${n}`, ownerId: 'owner' })
  await drain(space.reclaim, space.compaction)
}
