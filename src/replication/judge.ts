/**
 * Whether a delivery may be taken: by this region's own copy of names, roles and policies, for every delivery anew. The region that sends
 * is believed about nothing but the buckets that live there.
 */

import type { Metadata } from '../metadata/engine.ts'
import { accountByCanonicalId, accountById } from '../metadata/tables/accounts.ts'
import { bucketById } from '../metadata/tables/buckets.ts'
import { nameOf } from '../metadata/tables/control.ts'
import { roleWithPolicies } from '../metadata/tables/held-policies.ts'
import type { Bucket, BucketName } from '../model/bucket.ts'
import type { Account } from '../model/identities.ts'
import { readBucketPolicy } from '../model/policy-bucket.ts'
import { PolicyError } from '../model/policy-error.ts'
import { isPublicPolicy } from '../model/policy-public.ts'
import {
  type ReplicationDestinationFacts,
  type ReplicationVerdict,
  type ReplicationWant,
  replicationVerdict,
} from '../model/replication-permission.ts'
import type { FailureReason } from '../model/replication-reasons.ts'
import { type HeldRole, type ParsedRole, parseRole } from '../model/role.ts'
import type { WireLink, WireVersion } from './wire.ts'

/** A link that is what it says. */
export interface KnownLink {
  readonly kind: 'known'
  readonly sourceBucket: string
  readonly sourceOwnerId: string
  readonly isFromLocked: boolean
  readonly destination: Bucket
  readonly role: ParsedRole | undefined
  readonly access: ReplicationDestinationFacts
  /** What the rule asks for, where it differs from what the destination would do by itself. */
  readonly overridesOwner: boolean
}

export type JudgedLink = KnownLink | { readonly kind: 'refused'; readonly reason: FailureReason }

/** @param from  the region that sends */
export async function judgeLinks(
  metadata: Metadata,
  { from, links }: { readonly from: string; readonly links: readonly WireLink[] },
): Promise<readonly JudgedLink[]> {
  const facts = await metadata.read(function* () {
    const found: LinkFacts[] = []
    for (const link of links) {
      const role = yield* roleWithPolicies(link.role)
      const destination = yield* bucketById(link.destination.id)
      found.push({
        source: yield* nameOf(link.source.name),
        destination,
        role,
        roleOwner: role && (yield* accountById(role.role.accountId)),
        destinationOwner: destination && (yield* accountByCanonicalId(destination.ownerId)),
      })
    }
    return found
  })
  return links.map((link, index) => judgeLink(link, from, facts[index] ?? nothing))
}

interface LinkFacts {
  readonly source: BucketName | undefined
  readonly destination: Bucket | undefined
  readonly role: HeldRole | undefined
  readonly roleOwner: Account | undefined
  readonly destinationOwner: Account | undefined
}

const nothing: LinkFacts = { source: undefined, destination: undefined, role: undefined, roleOwner: undefined, destinationOwner: undefined }

function judgeLink(link: WireLink, from: string, { source, destination, role, roleOwner, destinationOwner }: LinkFacts): JudgedLink {
  if (source?.id !== link.source.id) return { kind: 'refused', reason: 'SrcBucketNotFound' }
  if (source.region !== from) return { kind: 'refused', reason: 'SrcBucketInvalidRegion' }
  if (destination === undefined || destination.state !== 'active' || destination.name !== link.destination.name) {
    return { kind: 'refused', reason: 'DstBucketNotFound' }
  }
  if (destination.versioning !== 'Enabled') return { kind: 'refused', reason: 'DstBucketUnversioned' }
  const isFromLocked = link.source.hasLock === true
  if (isFromLocked && destination.settings.objectLock === undefined) return { kind: 'refused', reason: 'DstBucketObjectLockConfigMissing' }
  // A role is passed within its account: another's is as good as none.
  const own = role !== undefined && roleOwner?.canonicalId === source.ownerId ? parsedRole(role) : undefined
  if (link.account !== undefined && link.account !== destinationOwner?.accountId)
    return { kind: 'refused', reason: 'DstPutObjectNotPermitted' }
  return {
    kind: 'known',
    sourceBucket: source.name,
    sourceOwnerId: source.ownerId,
    isFromLocked,
    destination,
    role: own,
    access: accessOf(destination, source),
    overridesOwner: link.owner === 'destination',
  }
}

function accessOf(destination: Bucket, source: BucketName): ReplicationDestinationFacts {
  const { name: bucket, settings } = destination
  const policy = readBucketPolicy(destination)
  const isShut = settings.publicAccessBlock?.RestrictPublicBuckets === true && policy !== undefined && isPublicPolicy(policy)
  return { bucket, isForeign: destination.ownerId !== source.ownerId, policy, isShut }
}

function parsedRole(role: HeldRole): ParsedRole | undefined {
  try {
    return parseRole(role)
  } catch (error) {
    // A document that cannot be read allows nothing.
    if (error instanceof PolicyError) return undefined
    throw error
  }
}

/**
 * Whose a replica is. With the owner override it is the destination's, and the source's ACL stays behind: it carries the oldest stamp, so that later ones
 * change nothing either. The same where the destination's ACLs are off and it belongs to somebody else.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-change-owner.html
 */
export function ownedAs(
  { destination, overridesOwner }: KnownLink,
  { id, record }: WireVersion,
): Pick<WireVersion['record'], 'ownerId' | 'acl'> {
  const isTaken = destination.settings.ownership === 'BucketOwnerEnforced' && record.ownerId !== destination.ownerId
  const isDestinations = overridesOwner || isTaken
  return isDestinations ? { ownerId: destination.ownerId, acl: { stamp: id, value: [] } } : { ownerId: record.ownerId, acl: record.acl }
}

export function judgeVersion(link: KnownLink, version: WireVersion, nowMs: number): ReplicationVerdict {
  return replicationVerdict({
    role: link.role,
    source: { bucket: link.sourceBucket, key: version.key, ownerId: link.sourceOwnerId, isSseKms: false },
    destination: link.access,
    wants: wantsOf(version, link),
    nowMs,
  })
}

/** Later changes say by their stamps which of them there were: what was made with the version has the version's own. */
function wantsOf({ id, isDeleteMarker, record, content }: WireVersion, { overridesOwner }: KnownLink): readonly ReplicationWant[] {
  if (isDeleteMarker) return ['delete']
  const changed: ReplicationWant[] = record.tags.stamp === id ? [] : ['changedTags']
  // What locks a version is never left out.
  if (record.retention !== undefined) changed.push('retention')
  if (record.legalHold !== undefined) changed.push('legalHold')
  if (content.kind !== 'none') {
    const tags = record.tags.value.length > 0 && record.tags.stamp === id ? ['tags' as const] : []
    return ['object', ...tags, ...changed, ...(overridesOwner ? ['ownerOverride' as const] : [])]
  }
  if (record.acl.stamp !== id) changed.push('acl')
  return changed.length > 0 ? changed : ['acl']
}
