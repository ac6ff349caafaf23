/** What `writers.ts` and its threads have in common. */
import { systemClock } from '../../src/lib/clock.ts'
import { HybridClock } from '../../src/lib/hybrid-clock.ts'
import type { NewVersion } from '../../src/metadata/tables/versions.ts'
import type { Command, TransactionName } from '../../src/metadata/transactions.ts'

export const loadKinds = ['put', 'get', 'list', 'mixed'] as const
export type LoadKind = (typeof loadKinds)[number]
/** `each`: every thread for itself, taking turns by SQLite's lock. `one`: the thread that started them, for all. */
export type Committers = 'each' | 'one'

export interface WriterThreadData {
  readonly committers: Committers
  readonly load: LoadKind
  readonly directory: string
  readonly bucketId: string
  /** That are there: `key-0` and on. */
  readonly keys: number
  readonly place: number
  readonly journal: SharedArrayBuffer
  readonly lanes: number
  readonly seconds: number
}

export interface WriterResult {
  readonly operations: number
  readonly p99Ms: number
  readonly heldMs: number
  readonly heldMaxMs: number
}

export type ThreadAsks = {
  readonly commit: { readonly input: Command<TransactionName>; readonly output: unknown }
  readonly done: { readonly input: WriterResult; readonly output: undefined }
}

const ids = new HybridClock({ clock: systemClock, region: 'us-east-1' })

/** The row of a 4 KiB object as PutObject makes it. */
export function newVersion(bucketId: string, key: string): NewVersion {
  const id = ids.issue()
  return {
    ...{ bucketId, key, id, size: 4096, etag: 'd41d8cd98f00b204e9800998ecf8427e', storageClass: 'STANDARD' },
    blob: `blob-${id}`,
    record: {
      ownerId: 'o'.repeat(64),
      system: { contentType: 'application/octet-stream' },
      user: [],
      checksum: { algorithm: 'CRC64NVME', type: 'FULL_OBJECT', value: 'AAAAAAAAAAA=' },
      tags: { stamp: id, value: [] },
      acl: { stamp: id, value: [] },
    },
  }
}
