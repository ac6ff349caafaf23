/**
 * What a role must be allowed so that S3 may replicate with it.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
 */
import { bucketArn, objectArn } from './arn.ts'
import { evaluate, evaluateFor, type PolicyRequest, type Verdict, within } from './policy.ts'
import { PolicyContext } from './policy-context.ts'
import type { PolicyDocument } from './policy-document.ts'
import type { Who } from './policy-principals.ts'
import type { FailureReason } from './replication-reasons.ts'
import { mayAssume, type ParsedRole, type Role } from './role.ts'

/**
 * One delivery's parts. `object` (the data) always takes the ACL with it, as S3 does. `tags` are those that the version was made with, which may be
 * left out; `changedTags` came later, and a change that is left out would never arrive and nobody would hear of it. `retention` and `legalHold`: it has some.
 */
export type ReplicationWant = 'object' | 'tags' | 'changedTags' | 'acl' | 'retention' | 'legalHold' | 'delete' | 'ownerOverride'

/** What the destination says for itself. */
export interface ReplicationDestinationFacts {
  readonly bucket: string
  /** It is another account's than the role: both must allow. */
  readonly isForeign: boolean
  readonly policy: PolicyDocument | undefined
  /** Its policy is public, and RestrictPublicBuckets keeps other accounts out. */
  readonly isShut: boolean
}

export interface ReplicationRequest {
  /** As it is now; undefined when there is no such role. */
  readonly role: ParsedRole | undefined
  /** `ownerId`: the canonical id of its account, which is the role's. */
  readonly source: { readonly bucket: string; readonly key: string; readonly ownerId: string; readonly isSseKms: boolean }
  readonly destination: ReplicationDestinationFacts
  readonly wants: readonly ReplicationWant[]
  /** For policies that hold from or until some time. */
  readonly nowMs: number
}

export type ReplicationVerdict =
  /** `dropTags`: the delivery goes without the object's tags. */
  { readonly allowed: true; readonly dropTags: boolean } | { readonly allowed: false; readonly reason: FailureReason }

/** What stands in the way of a delivery, the source's side before the destination's. */
export function replicationVerdict(request: ReplicationRequest): ReplicationVerdict {
  const { role, source } = request
  if (role === undefined || !mayAssume(role, { service: 's3.amazonaws.com', sourceBucket: source.bucket })) {
    return { allowed: false, reason: 'AssumeRoleNotPermitted' }
  }
  const context = contextOf(request, role)
  const ask = (resource: string) => (action: string) => roleVerdict(role, { action, resource, context })
  const bucket = ask(bucketArn(source.bucket))
  const object = ask(objectArn(source))
  const copy = objectArn({ bucket: request.destination.bucket, key: source.key })
  const who = sessionOf(role.role, source.ownerId)
  const destination = (action: string) => destinationVerdict({ ...request.destination, role, who }, { action, resource: copy, context })

  if (bucket('s3:GetReplicationConfiguration') !== 'allow' || bucket('s3:ListBucket') !== 'allow') {
    return { allowed: false, reason: 'InitiateReplicationNotPermitted' }
  }
  const wants = new Set(request.wants)
  const reason = sourceRefusal(wants, object, source.isSseKms) ?? destinationRefusal(wants, destination)
  if (reason !== undefined) return { allowed: false, reason }
  return { allowed: true, dropTags: wants.has('tags') && !mayCarryTags(object, destination) }
}

/** Its own policies, inside its boundary. */
function roleVerdict({ policies, boundary }: ParsedRole, request: PolicyRequest): Verdict {
  const own = evaluate(policies, request)
  return boundary === undefined ? own : within(own, evaluate([boundary], request))
}

/**
 * Within one account either the role's policies or the bucket's may allow, between two both must. A bucket policy that names the account leaves it to the role.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-walkthrough-2.html
 */
function destinationVerdict(
  { isForeign, policy, isShut, role, who }: ReplicationDestinationFacts & { readonly role: ParsedRole; readonly who: Who },
  request: PolicyRequest,
): Verdict {
  const own = roleVerdict(role, request)
  if (own === 'explicitDeny') return own
  const said = policy === undefined ? ({ effect: 'implicitDeny' } as const) : evaluateFor(who, policy, request)
  if (said.effect === 'explicitDeny') return said.effect
  const isLetIn = said.effect === 'allow' && !(isForeign && isShut)
  if (isForeign) return own === 'allow' && isLetIn ? 'allow' : 'implicitDeny'
  const isNamed = isLetIn && said.naming !== 'account' && role.boundary === undefined
  return own === 'allow' || isNamed ? 'allow' : 'implicitDeny'
}

/** Whom a bucket policy sees when S3 acts as the role. */
function sessionOf({ arn, accountId, name }: Pick<Role, 'arn' | 'accountId' | 'name'>, canonicalId: string): Who {
  return { accountId, canonicalId, arn: `arn:aws:sts::${accountId}:assumed-role/${name}/s3-replication`, issuerArn: arn }
}

/**
 * What the source bucket's own policy denies the role: the destination does not know that policy, so the source asks before it sends. What it allows is not asked
 * here: the role must be allowed by its own policies.
 */
export function sourcePolicyRefusal(of: {
  readonly policy: PolicyDocument
  readonly role: Pick<Role, 'arn' | 'accountId' | 'name'>
  readonly source: { readonly bucket: string; readonly key: string; readonly ownerId: string }
  readonly isContent: boolean
  readonly lock: { readonly retention?: unknown; readonly legalHold?: unknown }
  readonly nowMs: number
}): FailureReason | undefined {
  const { policy, role, source, isContent, lock, nowMs } = of
  const context = new PolicyContext({ 'aws:PrincipalArn': role.arn, 'aws:PrincipalAccount': role.accountId, ...timeKeys(nowMs) })
  const who = sessionOf(role, source.ownerId)
  const denies = (resource: string, ...actions: readonly string[]): boolean =>
    actions.some((action) => evaluateFor(who, policy, { action, resource, context }).effect === 'explicitDeny')
  if (denies(bucketArn(source.bucket), 's3:GetReplicationConfiguration', 's3:ListBucket')) return 'InitiateReplicationNotPermitted'
  const object = objectArn(source)
  if (isContent && denies(object, 's3:GetObjectVersionForReplication')) return 'SrcGetObjectNotPermitted'
  if (lock.retention !== undefined && denies(object, 's3:GetObjectRetention')) return 'SrcGetRetentionNotPermitted'
  if (lock.legalHold !== undefined && denies(object, 's3:GetObjectLegalHold')) return 'SrcGetLegalHoldNotPermitted'
  return denies(object, 's3:GetObjectVersionAcl') ? 'SrcGetAclNotPermitted' : undefined
}

type Ask = (action: string) => Verdict

function sourceRefusal(wants: ReadonlySet<ReplicationWant>, object: Ask, isSseKms: boolean): FailureReason | undefined {
  if (wants.has('object') && !mayRead(object, isSseKms)) return 'SrcGetObjectNotPermitted'
  const needsAcl = wants.has('object') || wants.has('acl')
  if (needsAcl && object('s3:GetObjectVersionAcl') !== 'allow') return 'SrcGetAclNotPermitted'
  if (wants.has('retention') && object('s3:GetObjectRetention') !== 'allow') return 'SrcGetRetentionNotPermitted'
  if (wants.has('legalHold') && object('s3:GetObjectLegalHold') !== 'allow') return 'SrcGetLegalHoldNotPermitted'
  // With the data, unreadable tags are left out ("it replicates the objects, but not the object tags").
  if (wants.has('changedTags') && object('s3:GetObjectVersionTagging') !== 'allow') return 'SrcGetTaggingNotPermitted'
  return undefined
}

function destinationRefusal(wants: ReadonlySet<ReplicationWant>, destination: Ask): FailureReason | undefined {
  if (wants.has('delete') && destination('s3:ReplicateDelete') !== 'allow') return 'DstDelObjNotPermitted'
  const mayReplicate = destination('s3:ReplicateObject') === 'allow'
  if (wants.has('object') && !mayReplicate) return 'DstPutObjectNotPermitted'
  if (wants.has('ownerOverride') && destination('s3:ObjectOwnerOverrideToBucketOwner') !== 'allow') return 'DstPutObjectNotPermitted'
  const isDenied = destination('s3:ReplicateTags') === 'explicitDeny'
  if (wants.has('changedTags') && (!mayReplicate || isDenied)) return 'DstPutTaggingNotPermitted'
  // ReplicateObject carries the lock, so that only an explicit Deny stops it: and then all of the version, for it must not arrive unlocked.
  if (wants.has('retention') && mayNot(destination, mayReplicate, 's3:PutObjectRetention')) return 'DstPutRetentionNotPermitted'
  if (wants.has('legalHold') && mayNot(destination, mayReplicate, 's3:PutObjectLegalHold')) return 'DstPutLegalHoldNotPermitted'
  if (wants.has('acl') && !mayReplicate) return 'DstPutAclNotPermitted'
  return undefined
}

function mayNot(destination: Ask, mayReplicate: boolean, action: string): boolean {
  return !mayReplicate || destination(action) === 'explicitDeny'
}

/** GetObjectVersion does for objects that are not SSE-KMS, unless the action made for replication is denied by name. */
function mayRead(object: Ask, isSseKms: boolean): boolean {
  const forReplication = object('s3:GetObjectVersionForReplication')
  if (forReplication !== 'implicitDeny') return forReplication === 'allow'
  return !isSseKms && object('s3:GetObjectVersion') === 'allow'
}

/** ReplicateObject carries the tags too, so that only an explicit Deny of ReplicateTags stops them at the destination. */
function mayCarryTags(object: Ask, destination: Ask): boolean {
  return object('s3:GetObjectVersionTagging') === 'allow' && destination('s3:ReplicateTags') !== 'explicitDeny'
}

function contextOf({ nowMs }: ReplicationRequest, { role }: ParsedRole): PolicyContext {
  return new PolicyContext({
    'aws:PrincipalArn': role.arn,
    'aws:PrincipalAccount': role.accountId,
    'aws:PrincipalType': 'AssumedRole',
    'aws:UserId': `${role.id}:s3-replication`,
    ...timeKeys(nowMs),
  })
}

function timeKeys(nowMs: number): Record<string, string> {
  return { 'aws:CurrentTime': new Date(nowMs).toISOString(), 'aws:EpochTime': String(Math.floor(nowMs / 1000)) }
}
