/** What the object service is made of: given to each of its functions, so that none of them fetches anything. */
import type { Keyring } from '../blobs/seal.ts'
import type { BlobStore } from '../blobs/store.ts'
import type { Clock } from '../lib/clock.ts'
import type { Hashing } from '../lib/hash.ts'
import type { HybridClock } from '../lib/hybrid-clock.ts'
import type { Metadata } from '../metadata/engine.ts'
import type { Tiers } from '../tiers/store.ts'
import type { ReaderPins } from './reader-pins.ts'

export interface ObjectParts {
  readonly metadata: Metadata
  readonly blobs: BlobStore
  /** Where bytes are that left the region's own disk. */
  readonly tiers: Tiers
  readonly hashing: Hashing
  readonly keyring: Keyring
  readonly ids: HybridClock
  readonly clock: Clock
  readonly readers: ReaderPins
  /** The deployment's default: whether objects are encrypted although neither request nor bucket says so. */
  readonly encryptByDefault: boolean
}
