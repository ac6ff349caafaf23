/**
 * The decision: who may do what, from facts alone. A Deny wherever it stands is final; within one account either side may allow, between two both must.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
 */
import type { Grant } from '../model/acl.ts'
import { type AclAsker, bucketAclAllows, isObjectOwnersAction, objectAclAllows } from '../model/acl-permissions.ts'
import type { ObjectOwnership, PublicAccessBlock } from '../model/bucket.ts'
import { evaluateFor, type PolicyRequest, type ResourceVerdict } from '../model/policy.ts'
import type { PolicyDocument } from '../model/policy-document.ts'
import { isPublicPolicy } from '../model/policy-public.ts'
import { type Caller, type Principal, principalId } from './caller.ts'
import { combined, type PermissionVerdicts, permissionVerdicts } from './permissions.ts'

export interface DecisionFacts {
  readonly caller: Caller
  /** As `s3:GetObject`. */
  readonly action: string
  /** An ARN. */
  readonly resource: string
  readonly context?: NonNullable<PolicyRequest['context']>
  /** Undefined: the action is on the account, or on a bucket that is not there yet. */
  readonly bucket: BucketAccess | undefined
  /** The version that the action is about: `unread` until it matters, undefined where there is none. */
  readonly object: ObjectAccess | 'unread' | undefined
  /** The object is being written by this request. */
  readonly isNew?: boolean
  /** The action is on an upload that the caller began, or somebody of the account that it is root of. */
  readonly isInitiator?: boolean
}

export interface BucketAccess {
  /** Canonical user id. */
  readonly ownerId: string
  readonly policy: PolicyDocument | undefined
  readonly ownership: ObjectOwnership
  readonly publicAccessBlock: PublicAccessBlock | undefined
  /** Absent: the owner's alone, which needs no grant. */
  readonly acl: readonly Grant[] | undefined
}

export interface ObjectAccess {
  readonly ownerId: string
  /** Empty: the owner's alone, as versions keep it. */
  readonly acl: readonly Grant[]
}

export type Decision =
  | { readonly kind: 'allow' }
  /** Asked again with the object, it says yes or no. */
  | { readonly kind: 'needsObject' }
  | { readonly kind: 'deny'; readonly reason: Reason }

/** `closed`: nothing to be told, as of an account that is not the caller's. Others say which kind of policy is in the way. */
export type Reason = 'closed' | `${'explicit' | 'no'}-${'identity' | 'boundary' | 'session' | 'resource'}`

const allow: Decision = { kind: 'allow' }

export function decide(facts: DecisionFacts): Decision {
  const { caller } = facts
  switch (caller.kind) {
    case 'root':
    case 'user':
    case 'session':
      return forPrincipal(caller, facts)
    case 'anonymous':
      return forAnonymous(facts)
    // A region acts for a replication role, and that is judged delivery by delivery; it has no business with S3's own operations.
    case 'peer':
      return deny('closed')
    default:
      return caller satisfies never
  }
}

function forPrincipal(caller: Principal, facts: DecisionFacts): Decision {
  const { bucket } = facts
  const own = permissionVerdicts(caller, facts)
  const isOwnAccount = bucket === undefined ? isOfAccount(facts.resource, caller.accountId) : bucket.ownerId === caller.canonicalId
  const reason = explicitIn(own) ?? missingIn(own)
  const refused = deny(isOwnAccount ? reason : 'closed')
  if (explicitIn(own) !== undefined) return refused
  if (bucket === undefined) return isOwnAccount && combined(own) === 'allow' ? allow : refused

  // Whoever wrote a policy that locks out everybody must be able to take it back.
  const isOwnersRoot = isOwnAccount && caller.kind === 'root' && combined(own) === 'allow'
  if (isOwnersRoot && policyActions.has(facts.action)) return allow

  const said = bucketPolicyVerdict(facts, bucket)
  if (said.effect === 'explicitDeny') return deny(isOwnAccount ? 'explicit-resource' : 'closed')
  const owner = ownerOf(facts, bucket)
  if (owner === 'unread') return { kind: 'needsObject' }
  const isAllowed = owner.canonicalId === caller.canonicalId ? isAllowedInAccount : isAllowedBetweenAccounts
  return isAllowed({ caller, own, said: owner.isBucketOwner ? said : silent, facts, bucket }) ? allow : refused
}

function forAnonymous(facts: DecisionFacts): Decision {
  const { bucket } = facts
  if (bucket === undefined) return deny('closed')
  const said = bucketPolicyVerdict(facts, bucket)
  if (said.effect === 'explicitDeny') return deny('closed')
  const owner = ownerOf(facts, bucket)
  if (owner === 'unread') return { kind: 'needsObject' }
  if (owner.isBucketOwner && isAllowedFromOutside(said, bucket)) return allow
  return aclAllows(facts, bucket, undefined) ? allow : deny('closed')
}

/** Root of the bucket's account may always do these. https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html */
const policyActions: ReadonlySet<string> = new Set(['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy'])

function deny(reason: Reason): Decision {
  return { kind: 'deny', reason }
}

function bucketPolicyVerdict(facts: DecisionFacts, { policy }: BucketAccess): ResourceVerdict {
  if (policy === undefined) return silent
  const { caller } = facts
  if (caller.kind === 'anonymous' || caller.kind === 'peer') return evaluateFor({}, policy, facts)
  const { accountId, canonicalId, arn, session } = caller
  const id = principalId(caller)
  return evaluateFor({ accountId, canonicalId, arn, id, ...(session !== undefined && { issuerArn: session.issuerArn }) }, policy, facts)
}

/**
 * Whose word counts: an object's owner for what its ACL speaks of, the bucket's for everything else. With ACLs off all is the bucket owner's.
 * NOTE: that is where the ordinary request ends without the object having been read.
 */
function ownerOf(facts: DecisionFacts, bucket: BucketAccess): { canonicalId: string; isBucketOwner: boolean } | 'unread' {
  const bucketOwner = { canonicalId: bucket.ownerId, isBucketOwner: true }
  if (bucket.ownership === 'BucketOwnerEnforced' || facts.isNew || !isObjectOwnersAction(facts.action)) return bucketOwner
  if (facts.object === 'unread') return 'unread'
  if (facts.object === undefined || facts.object.ownerId === bucket.ownerId) return bucketOwner
  return { canonicalId: facts.object.ownerId, isBucketOwner: false }
}

interface Sides {
  readonly caller: Principal
  readonly own: PermissionVerdicts
  /** What the bucket's policy says, where it has a say. */
  readonly said: ResourceVerdict
  readonly facts: DecisionFacts
  readonly bucket: BucketAccess
}

const silent: ResourceVerdict = { effect: 'implicitDeny' }

function isAllowedInAccount({ caller, own, said, facts, bucket }: Sides): boolean {
  if (combined(own) === 'allow' || isAllowedByPolicy(caller, own, said) || isInitiators(facts, own)) return true
  // What everybody may, also those of the account may, as far as they are bounded.
  return isUnbounded(own) && aclAllows(facts, bucket, undefined)
}

function isAllowedBetweenAccounts({ caller, own, said, facts, bucket }: Sides): boolean {
  if (isInitiators(facts, own)) return true
  return combined(own) === 'allow' && (isAllowedFromOutside(said, bucket) || aclAllows(facts, bucket, caller.canonicalId))
}

/** S3 lets whoever began an upload list and end it, unless somebody says otherwise. */
function isInitiators({ isInitiator }: DecisionFacts, own: PermissionVerdicts): boolean {
  return isInitiator === true && isUnbounded(own)
}

function isAllowedByPolicy(caller: Principal, own: PermissionVerdicts, said: ResourceVerdict): boolean {
  if (said.effect !== 'allow') return false
  switch (said.naming) {
    // Named by its own ARN, nothing but a Deny bounds it.
    case 'itself':
      return true
    case 'issuer':
    case 'everyone':
      return isUnbounded(own)
    // The account may do it, and leaves it to its policies who of its people may.
    case 'account':
      return caller.kind === 'root' && isUnbounded(own)
    default:
      return said.naming satisfies never
  }
}

function isUnbounded({ boundary, session }: PermissionVerdicts): boolean {
  return boundary === 'allow' && session === 'allow'
}

/** RestrictPublicBuckets: a policy that is public speaks to nobody outside the account any more. */
function isAllowedFromOutside(said: ResourceVerdict, { policy, publicAccessBlock }: BucketAccess): boolean {
  if (said.effect !== 'allow') return false
  return !(publicAccessBlock?.RestrictPublicBuckets && policy !== undefined && isPublicPolicy(policy))
}

function aclAllows(facts: DecisionFacts, bucket: BucketAccess, canonicalId: string | undefined): boolean {
  if (bucket.ownership === 'BucketOwnerEnforced') return false
  const { action, object, isNew = false } = facts
  const isIdentified = facts.caller.kind !== 'anonymous'
  const asker: AclAsker = { canonicalId, isIdentified, ignoresPublic: bucket.publicAccessBlock?.IgnorePublicAcls === true }
  if (isObjectOwnersAction(action) && !isNew) {
    return object !== undefined && object !== 'unread' && objectAclAllows(object.acl, asker, action)
  }
  return bucketAclAllows(bucket.acl ?? [], asker, { action, isNew })
}

function explicitIn({ identity, boundary, session }: PermissionVerdicts): Reason | undefined {
  if (identity === 'explicitDeny') return 'explicit-identity'
  if (boundary === 'explicitDeny') return 'explicit-boundary'
  return session === 'explicitDeny' ? 'explicit-session' : undefined
}

function missingIn({ identity, boundary, session }: PermissionVerdicts): Reason {
  if (identity !== 'allow') return 'no-identity'
  if (boundary !== 'allow') return 'no-boundary'
  return session !== 'allow' ? 'no-session' : 'no-resource'
}

/** What has no account in its ARN, as a bucket that is not there yet, is of every account. */
function isOfAccount(resource: string, accountId: string): boolean {
  const account = resource.split(':', 5)[4] ?? ''
  return account === '' || account === accountId
}
