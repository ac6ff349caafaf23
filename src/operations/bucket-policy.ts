/** The policy of a bucket: who may do what with it. */
import { type Caller, isPrincipal } from '../access/caller.ts'
import { resolvePrincipals } from '../access/principals.ts'
import type { Bucket, BucketPolicy } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { xmlBodyMaxBytes } from '../model/limits.ts'
import { parseBucketPolicy, policyParts } from '../model/policy-bucket.ts'
import { PolicyError } from '../model/policy-error.ts'
import { shownPolicy } from '../model/policy-principal-ids.ts'
import { isPublicPolicy } from '../model/policy-public.ts'
import type { OperationContext } from '../s3/define.ts'
import { operation } from '../s3/define.ts'
import { bucketName, headers, textBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'

/**
 * Replaces the policy whole, once all of it is understood.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
 */
export const PutBucketPolicy = operation({
  name: 'PutBucketPolicy',
  route: 'PUT /{Bucket}?policy',
  action: 's3:PutBucketPolicy',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    Policy: textBody({ maxBytes: xmlBodyMaxBytes }),
  },
  errors: ['MalformedPolicy', 'MethodNotAllowed', 'MissingRequestBodyError', 'PolicyTooLarge'],

  async handle({ bucket, caller, services, signal }, { Policy }) {
    checkOwnAccount(bucket, caller)
    const policy = await asRefusal(() => parseBucketPolicy(Policy, bucket.name))
    if (bucket.settings.publicAccessBlock?.BlockPublicPolicy && isPublicPolicy(policy)) {
      throw new S3Error('AccessDenied', { message: 'Access Denied: public policies are blocked by the BlockPublicPolicy setting.' })
    }
    const principals = await asRefusal(() => resolvePrincipals(services.control, policy, signal))
    await services.buckets.setSetting(bucket, 'policy', { text: Policy, principals })
    return { status: 204 }
  },
})

/** @throws S3Error MalformedPolicy, which names the place, | PolicyTooLarge */
async function asRefusal<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error
    throw new S3Error(error.kind === 'malformed' ? 'MalformedPolicy' : 'PolicyTooLarge', { message: error.message, cause: error })
  }
}

/**
 * The text as it was put; whom it names and who is gone since stands in it by his unique id.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html
 */
export const GetBucketPolicy = operation({
  name: 'GetBucketPolicy',
  route: 'GET /{Bucket}?policy',
  action: 's3:GetBucketPolicy',
  input: { Bucket: bucketName() },
  errors: ['NoSuchBucketPolicy'],

  async handle(context) {
    checkOwnAccount(context.bucket, context.caller)
    const { text, principals } = policyParts(policyOf(context))
    const standing = await context.services.control.principalIds(Object.keys(principals ?? {}))
    const body = Buffer.from(shownPolicy(text, { ...(principals && { ids: principals }), standing }))
    return { status: 200, headers: { 'content-type': 'application/json' }, body }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html */
export const DeleteBucketPolicy = operation({
  name: 'DeleteBucketPolicy',
  route: 'DELETE /{Bucket}?policy',
  action: 's3:DeleteBucketPolicy',
  input: { Bucket: bucketName() },
  errors: [],

  async handle({ bucket, caller, services }) {
    checkOwnAccount(bucket, caller)
    await services.buckets.setSetting(bucket, 'policy', undefined)
    return { status: 204 }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html */
export const GetBucketPolicyStatus = operation({
  name: 'GetBucketPolicyStatus',
  route: 'GET /{Bucket}?policyStatus',
  action: 's3:GetBucketPolicyStatus',
  input: { Bucket: bucketName() },
  errors: ['NoSuchBucketPolicy'],

  async handle(context) {
    const { text } = policyParts(policyOf(context))
    const policy = await asRefusal(() => parseBucketPolicy(text, context.bucket.name))
    return { status: 200, body: xml('PolicyStatus', { IsPublic: isPublicPolicy(policy) }) }
  },
})

/** A policy cannot give itself away: whoever is let in from another account is answered 405. @throws S3Error MethodNotAllowed */
function checkOwnAccount({ ownerId }: Bucket, caller: Caller): void {
  if (isPrincipal(caller) && caller.canonicalId === ownerId) return
  throw new S3Error('MethodNotAllowed', { details: { ResourceType: 'BUCKETPOLICY' } })
}

/** @throws S3Error NoSuchBucketPolicy */
function policyOf({ bucket }: OperationContext): BucketPolicy | string {
  const { policy } = bucket.settings
  if (policy === undefined) throw new S3Error('NoSuchBucketPolicy', { details: { BucketName: bucket.name } })
  return policy
}
