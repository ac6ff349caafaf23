/** The gate of a region: signatures by its keys, buckets by its directory, permissions by `access`. */
import { authorize } from '../access/authorize.ts'
import type { Keys } from '../access/credentials.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { SigningKeys } from './auth/signing-keys.ts'
import { claimedKey, readClaim, verifySignature } from './auth/verify.ts'
import type { Gate } from './gate.ts'

export interface AccountGateOptions {
  readonly keys: Keys
  /** Regions whose scope is accepted, this one first: a bucket that lives in another is redirected to, not refused. */
  readonly regions: readonly [string, ...string[]]
  /** @throws S3Error NoSuchBucket | PermanentRedirect */
  readonly resolveBucket: (name: string) => Promise<Bucket>
  /** The account id of an owner, for x-amz-expected-bucket-owner. */
  readonly accountIdOf: (canonicalId: string) => Promise<string | undefined> | string | undefined
}

const services = ['s3', 'iam', 'sts', 'farshore'] as const

export function createAccountGate(options: AccountGateOptions): Gate {
  const { keys, regions } = options
  const signingKeys = new SigningKeys()
  return {
    async verify(head, nowMs) {
      const claimed = readClaim(head)
      const key = claimedKey(claimed)
      const credential = key && (await keys.find(key))
      return verifySignature(claimed, { nowMs, regions, services, credential, keys: signingKeys })
    },
    async resolveBucket(name, expectedOwner) {
      const bucket = await options.resolveBucket(name)
      if (expectedOwner !== undefined && (await options.accountIdOf(bucket.ownerId)) !== expectedOwner) throw new S3Error('AccessDenied')
      return bucket
    },
    authorize: ({ caller, action, target }) => authorize({ caller, action, bucket: target.bucket }),
  }
}
