/** The control plane as those see it who serve requests: reads from this region's copy, writes through home. */
import type { Metadata } from '../metadata/engine.ts'
import { nameOf, roleByName, scanNames, scanRoles } from '../metadata/tables/control.ts'
import type { Bucket, BucketName, BucketSettings } from '../model/bucket.ts'
import type { Role } from '../model/role.ts'
import type { BucketFacts } from './facts.ts'
import { bucketResolver, type ResolveParts } from './resolve-bucket.ts'

type NamesPage = Parameters<typeof scanNames>[0]
type RolesPage = Parameters<typeof scanRoles>[0]

export interface ControlReads {
  /** Of all regions, in the order of their names. */
  listBuckets(page: NamesPage): Promise<readonly BucketName[]>
  nameOf(name: string): Promise<BucketName | undefined>
  /** @throws S3Error NoSuchBucket | PermanentRedirect */
  resolveBucket(name: string): Promise<Bucket>
  role(name: string): Promise<Role | undefined>
  roles(page: RolesPage): Promise<readonly Role[]>
}

export interface PolicyName {
  readonly roleName: string
  readonly policyName: string
}

/** Every write answers when it can be read here, and throws S3Error ServiceUnavailable naming home when home cannot be reached. */
export interface ControlWrites {
  /** Makes it in this region. @throws S3Error BucketAlreadyExists | BucketAlreadyOwnedByYou | ServiceUnavailable */
  createBucket(input: { readonly name: string; readonly ownerId: string; readonly settings: BucketSettings }): Promise<BucketName>
  /** @throws S3Error BucketNotEmpty | NoSuchBucket | ServiceUnavailable */
  deleteBucket(bucket: Bucket): Promise<void>
  /** As they are now, where the bucket lives. @throws S3Error ServiceUnavailable naming the region that cannot be reached */
  bucketFacts(name: BucketName): Promise<BucketFacts | undefined>
  /** @param role  without inline policies @throws S3Error EntityAlreadyExists | ServiceUnavailable */
  createRole(role: Role): Promise<Role>
  /** @throws S3Error NoSuchEntity | DeleteConflict | ServiceUnavailable */
  deleteRole(name: string): Promise<void>
  /** @throws S3Error NoSuchEntity | ServiceUnavailable */
  putRolePolicy(policy: PolicyName & { readonly document: string }): Promise<void>
  /** @throws S3Error NoSuchEntity | ServiceUnavailable */
  deleteRolePolicy(policy: PolicyName): Promise<void>
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
    role: (name) => metadata.read(() => roleByName(name)),
    roles: (page) => metadata.read(() => scanRoles(page)),
  }
}
