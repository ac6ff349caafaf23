/** What a region stores its objects in, opened: rows, bytes, keys. */
import { join } from 'node:path'
import type { Logger } from 'pino'
import { openBlobStore } from '../blobs/open-blob-store.ts'
import { createKeyring } from '../blobs/seal.ts'
import { readMasterKey } from '../config/master-key.ts'
import type { Config } from '../config/schema.ts'
import { systemClock } from '../lib/clock.ts'
import { createHashers } from '../lib/hash.ts'
import { HybridClock } from '../lib/hybrid-clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import { schema } from '../metadata/schema.ts'
import { openSqlite, type SharedMetadata } from '../metadata/sqlite/open.ts'
import { transactions, usesReserve } from '../metadata/transactions.ts'
import type { ObjectParts } from '../objects/parts.ts'
import { ReaderPins } from '../objects/reader-pins.ts'
import { openTiers } from '../tiers/open-tiers.ts'

/** Is told what to close, to be called in the reverse order. */
export type Closing = (close: () => Promise<void>) => void

export const metadataFolder = ({ dataDirectory }: Pick<Config, 'dataDirectory'>): string => join(dataDirectory, 'metadata')

export interface StoreOptions {
  readonly log: Logger
  readonly openBlobs?: typeof openBlobStore | undefined
  readonly openTiers?: typeof openTiers | undefined
  readonly pins?: ReaderPins
}

/** The stores of the thread that commits. @throws Error when the folder belongs to another region or key */
export async function openStores(
  config: Config,
  { log, openBlobs, openTiers, pins }: StoreOptions,
  closing: Closing,
): Promise<{ readonly metadata: SharedMetadata; readonly parts: ObjectParts }> {
  const metadata = await openSqlite({
    directory: metadataFolder(config),
    transactions,
    usesReserve,
    schema,
    clock: systemClock,
    reserveBytes: config.reserveBytes,
    log,
  })
  closing(() => metadata.close())
  const { keyId } = createKeyring(await readMasterKey(config))
  await checkFolder(metadata, { region: config.region, 'master key': keyId })
  const parts = await openParts(config, { metadata, log, openBlobs, openTiers, pins: pins ?? new ReaderPins(), isFirst: true }, closing)
  return { metadata, parts }
}

/** What the object service is made of, around a metadata store that is open. */
export async function openParts(
  config: Config,
  of: {
    readonly metadata: Metadata
    readonly log: Logger
    readonly pins: ReaderPins
    readonly openBlobs?: typeof openBlobStore | undefined
    readonly openTiers?: typeof openTiers | undefined
    /** Whether no other thread has the folder open yet. */
    readonly isFirst: boolean
  },
  closing: Closing,
): Promise<ObjectParts> {
  const { metadata, log, pins, openBlobs = openBlobStore, openTiers: open = openTiers, isFirst } = of
  const blobs = await openBlobs({
    directory: join(config.dataDirectory, 'blobs'),
    boot: metadata.boot,
    reserveBytes: config.reserveBytes,
    log,
    isFirst,
  })
  closing(() => blobs.close())
  const tiers = await open(config, { boot: metadata.boot, isFirst, log })
  closing(() => tiers.close())
  const hashing = await createHashers()
  closing(() => hashing.close())
  return {
    metadata,
    blobs,
    tiers,
    hashing,
    keyring: createKeyring(await readMasterKey(config)),
    ids: new HybridClock({ clock: systemClock, region: config.region }),
    clock: systemClock,
    readers: pins,
    encryptByDefault: config.encryption.default === 'AES256',
  }
}

/** A folder belongs to one region and one master key, from its first start on. */
async function checkFolder(metadata: Metadata, facts: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(facts)) {
    const { standing } = await metadata.commit({ tx: 'rememberFact', name, value })
    if (standing !== value) throw new Error(`The data folder belongs to the ${name} ${standing}, and not to ${value}.`)
  }
}
