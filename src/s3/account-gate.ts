/** The gate of a region: signatures by its keys, buckets by its directory, permissions by `access`. */
import { BucketPolicies } from '../access/bucket-policies.ts'
import { type Caller, isPrincipal } from '../access/caller.ts'
import type { Keys } from '../access/credentials.ts'
import { type DecisionFacts, decide } from '../access/decide.ts'
import { accessDenied } from '../access/denied.ts'
import type { KeyUses } from '../access/key-uses.ts'
import { bucketArn, objectArn } from '../model/arn.ts'
import type { Bucket } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import type { ObjectVersion } from '../model/version.ts'
import { formKey, verifyForm } from './auth/post-form.ts'
import { SigningKeys } from './auth/signing-keys.ts'
import { type Anonymous, claimedKey, readClaim, type Signed, verifySignature } from './auth/verify.ts'
import { RequestContext } from './condition-context.ts'
import type { Target } from './define.ts'
import type { Authorization, Confirm, Gate } from './gate.ts'

export interface AccountGateOptions {
  readonly keys: Keys
  /** Is told of every key that has proven itself; absent: nobody wants to know. */
  readonly uses?: Pick<KeyUses, 'note'>
  /** Regions whose scope is accepted, this one first: a bucket that lives in another is redirected to, not refused. */
  readonly regions: readonly [string, ...string[]]
  /** @throws S3Error NoSuchBucket | PermanentRedirect */
  readonly resolveBucket: (name: string) => Promise<Bucket>
  /** The account id of an owner, for x-amz-expected-bucket-owner and conditions. */
  readonly accountIdOf: (canonicalId: string) => string | undefined | Promise<string | undefined>
  /** The version that an action is about, whatever it is; undefined: there is none. */
  readonly findVersion: (address: {
    readonly bucket: Bucket
    readonly key: string
    readonly versionId: string | undefined
  }) => Promise<ObjectVersion | undefined>
}

const services = ['s3', 'iam', 'sts', 'farshore'] as const

export function createAccountGate(options: AccountGateOptions): Gate {
  const { keys, regions } = options
  const signingKeys = new SigningKeys()
  const policies = new BucketPolicies()
  const noted = <T extends Anonymous | Signed>(verified: T, nowMs: number): T => {
    if (verified.kind === 'signed' && isKeyOfSomebody(verified.caller)) {
      const { service, region } = verified.scope
      options.uses?.note(verified.accessKeyId, { usedMs: nowMs, service, region })
    }
    return verified
  }
  return {
    async verify(head, nowMs) {
      const claimed = readClaim(head)
      const key = claimedKey(claimed)
      const credential = key && (await keys.find(key))
      const verified = verifySignature(claimed, { nowMs, regions, services, credential, keys: signingKeys })
      if (verified.kind !== 'awaiting-body') return noted(verified, nowMs)
      return { ...verified, complete: (sha256) => noted(verified.complete(sha256), nowMs) }
    },
    async verifyForm(claim, nowMs) {
      const credential = await keys.find(formKey(claim))
      return noted(verifyForm(claim, { nowMs, regions, services: ['s3'], credential, keys: signingKeys }), nowMs)
    },
    async resolveBucket(name, expectedOwner) {
      const bucket = await options.resolveBucket(name)
      if (expectedOwner !== undefined && (await options.accountIdOf(bucket.ownerId)) !== expectedOwner) throw new S3Error('AccessDenied')
      return bucket
    },
    authorize: (question) => authorize(question, { ...options, policies }),
  }
}

/** Temporary credentials are nobody's key, and regions have none that IAM knows. */
function isKeyOfSomebody({ kind }: Caller): boolean {
  return kind === 'user' || kind === 'root'
}

type AuthorizeParts = Pick<AccountGateOptions, 'accountIdOf' | 'findVersion'> & { readonly policies: BucketPolicies }

/** NOTE: the ordinary request is decided at once; an object is read only when the decision turns on it. */
function authorize(question: Authorization, parts: AuthorizeParts): undefined | Promise<Confirm | undefined> {
  const { caller, target } = question
  const owner = target.bucket?.ownerId
  if (owner === undefined) return decided(question, parts, isPrincipal(caller) ? caller.accountId : undefined)
  if (isPrincipal(caller) && caller.canonicalId === owner) return decided(question, parts, caller.accountId)
  const accountId = parts.accountIdOf(owner)
  return typeof accountId === 'object' ? accountId.then((id) => decided(question, parts, id)) : decided(question, parts, accountId)
}

function decided(
  question: Authorization,
  parts: AuthorizeParts,
  resourceAccount: string | undefined,
): undefined | Promise<Confirm | undefined> {
  const { target } = question
  const mayHaveObject = target.bucket !== undefined && target.key !== undefined && target.isNew !== true
  const attempt = judge(question, { parts, resourceAccount, version: mayHaveObject ? 'unread' : undefined })
  if (attempt.needsVersion) return decidedWithVersion(question, parts, resourceAccount)
  attempt.settle()
  return undefined
}

async function decidedWithVersion(question: Authorization, parts: AuthorizeParts, resourceAccount: string | undefined): Promise<Confirm> {
  const { bucket, key, versionId } = question.target
  if (bucket === undefined || key === undefined) throw new Error('an object was asked for where there is none')
  const version = await parts.findVersion({ bucket, key, versionId })
  const confirm = (found: ObjectVersion | undefined) => judge(question, { parts, resourceAccount, version: found }).settle()
  confirm(version?.isDeleteMarker ? undefined : version)
  return confirm
}

interface Judging {
  readonly parts: AuthorizeParts
  readonly resourceAccount: string | undefined
  readonly version: ObjectVersion | 'unread' | undefined
}

function judge(question: Authorization, { parts, resourceAccount, version }: Judging): { needsVersion: boolean; settle(): void } {
  const { caller, action, target, request } = question
  const resource = resourceOf(target)
  let context: RequestContext | undefined
  const contextOf = (): RequestContext => {
    const tags = version === 'unread' ? version : (version?.record.tags.value ?? [])
    context ??= new RequestContext({ request, caller, action, target, resourceAccount, tags })
    return context
  }
  const decision = decide({
    caller,
    action,
    resource,
    context: contextOf,
    bucket: target.bucket && bucketAccess(target.bucket, parts.policies),
    object: typeof version === 'object' ? { ownerId: version.record.ownerId, acl: version.record.acl.value } : version,
    isNew: target.isNew === true,
    isInitiator: target.isInitiator === true,
  })
  return {
    needsVersion: decision.kind === 'needsObject' || (context?.misses ?? false),
    settle() {
      // Who is refused for tags that are not read yet is asked again when they are.
      if (decision.kind === 'deny' && context?.missesBody) return
      if (decision.kind === 'deny') throw accessDenied({ caller, action, resource, reason: decision.reason })
      if (decision.kind === 'needsObject') throw new Error('the decision asked for an object that had been read')
    },
  }
}

function bucketAccess(bucket: Bucket, policies: BucketPolicies): NonNullable<DecisionFacts['bucket']> {
  const { ownership = 'ObjectWriter', publicAccessBlock, acl } = bucket.settings
  return { ownerId: bucket.ownerId, policy: policies.of(bucket), ownership, publicAccessBlock, acl }
}

function resourceOf({ arn, bucket, bucketName, key }: Target): string {
  if (arn !== undefined) return arn
  const name = bucket?.name ?? bucketName
  if (name === undefined) return everyBucket
  return key === undefined ? bucketArn(name) : objectArn({ bucket: name, key })
}

const everyBucket = 'arn:aws:s3:::*'
