/** What operations may use besides their input: the members of the wire's `Services`, declared where they are known. */
import type { ControlDoor } from '../control/door.ts'
import type { Hashing } from '../lib/hash.ts'
import type { ObjectOwnership } from '../model/bucket.ts'
import type { RestoreTier } from '../model/version.ts'
import type { Buckets } from '../objects/buckets.ts'
import type { Objects } from '../objects/objects.ts'

/** What the configuration says where neither request nor bucket does, and whose everything is. */
export interface Defaults {
  /** This region's name. */
  readonly region: string
  /** The one account so far. */
  readonly account: {
    /** Twelve digits. */
    readonly accountId: string
    /** Canonical user id: the owner in ACLs and listings. */
    readonly canonicalId: string
  }
  readonly encryption: 'none' | 'AES256'
  /** Of new buckets. */
  readonly ownership: ObjectOwnership
  /** Of new buckets: whether all public access is blocked. */
  readonly publicAccessBlock: boolean
  /** What lifecycle rules call a day. */
  readonly lifecycleDayMs: number
  /** How long an archived object takes to be brought back, by what the request asks for. */
  readonly restoreDelayMs: Readonly<Record<RestoreTier, number>>
}

declare module '../s3/services.ts' {
  interface Services {
    readonly objects: Objects
    readonly buckets: Buckets
    readonly control: ControlDoor
    readonly hashing: Hashing
    readonly defaults: Defaults
  }
}
