/** The control plane as those see it who serve requests: reads from this region's copy, writes through home. */
import type { Metadata } from '../metadata/engine.ts'
import { accessKeyById, accessKeysOf, accountByCanonicalId, accountById, scanAccounts } from '../metadata/tables/accounts.ts'
import { nameOf, scanNames } from '../metadata/tables/control.ts'
import { roleWithPolicies } from '../metadata/tables/held-policies.ts'
import {
  identityByName,
  policyByArn,
  policyUse,
  policyUses,
  principalIds,
  scanIdentities,
  scanLinked,
} from '../metadata/tables/identities.ts'
import type { Bucket, BucketName, BucketSettings } from '../model/bucket.ts'
import type { HeldRole } from '../model/role.ts'
import type { BucketFacts } from './facts.ts'
import type { IdentityReads, IdentityWrites } from './identities.ts'
import { bucketResolver, type ResolveParts } from './resolve-bucket.ts'

type NamesPage = Parameters<typeof scanNames>[0]

export interface ControlReads extends IdentityReads {
  /** Of all regions, in the order of their names. */
  listBuckets(page: NamesPage): Promise<readonly BucketName[]>
  nameOf(name: string): Promise<BucketName | undefined>
  /** @throws S3Error NoSuchBucket | PermanentRedirect */
  resolveBucket(name: string): Promise<Bucket>
  /** The role of that ARN, with all that its policies say. */
  heldRole(arn: string): Promise<HeldRole | undefined>
}

/** Every write answers when it can be read here, and throws S3Error ServiceUnavailable naming home when home cannot be reached. */
export interface ControlWrites extends IdentityWrites {
  /** Makes it in this region. @throws S3Error BucketAlreadyExists | BucketAlreadyOwnedByYou | ServiceUnavailable */
  createBucket(input: { readonly name: string; readonly ownerId: string; readonly settings: BucketSettings }): Promise<BucketName>
  /** @throws S3Error BucketNotEmpty | NoSuchBucket | ServiceUnavailable */
  deleteBucket(bucket: Bucket): Promise<void>
  /** As they are now, where the bucket lives. @throws S3Error ServiceUnavailable naming the region that cannot be reached */
  bucketFacts(name: BucketName): Promise<BucketFacts | undefined>
  /** To be called when a bucket of this region has changed: tells the listeners here and in the other regions. */
  changed(bucket: Pick<Bucket, 'id'>): void
}

export interface ControlDoor extends ControlReads, ControlWrites {}

export function controlReads(parts: ResolveParts & { readonly metadata: Metadata }): ControlReads {
  const { metadata } = parts
  return {
    listBuckets: (page) => metadata.read(() => scanNames(page)),
    nameOf: (name) => metadata.read(() => nameOf(name)),
    resolveBucket: bucketResolver(parts),
    account: (accountId) => metadata.read(() => accountById(accountId)),
    // Asked about the owner of each bucket and grantee.
    accountByCanonicalId: metadata.remembered(accountByCanonicalId),
    accounts: (page) => metadata.read(() => scanAccounts(page)),
    identity: (key) => metadata.read(() => identityByName(key)),
    identities: (page) => metadata.read(() => scanIdentities(page)),
    policyByArn: (arn) => metadata.read(() => policyByArn(arn)),
    linked: (page) => metadata.read(() => scanLinked(page)),
    policyUse: (of) => metadata.read(() => policyUse(of)),
    policyUses: (accountId) => metadata.read(() => policyUses(accountId)),
    principalIds: (arns) => metadata.read(() => principalIds(arns)),
    accessKey: (accessKeyId) => metadata.read(() => accessKeyById(accessKeyId)),
    accessKeysOf: (of) => metadata.read(() => accessKeysOf(of)),
    heldRole: (arn) => metadata.read(() => roleWithPolicies(arn)),
  }
}
