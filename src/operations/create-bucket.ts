/** CreateBucket: takes a name in every region, and makes the bucket in this one. */
import { checkCreateBucketAcl, checkPolicy, isPublic, type Owner, type RequestedAcl, resolveAcl } from '../model/acl.ts'
import { parseAclHeaders } from '../model/acl-headers.ts'
import { type BucketSettings, type ObjectOwnership, objectOwnerships, type PublicAccessBlock } from '../model/bucket.ts'
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { checkBucketTags, type Tag } from '../model/tags.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { bucketName, header, headers, optionalXmlBody } from '../s3/members.ts'
import { document, list, optional, struct, text } from '../s3/xml/shapes.ts'
import type { Defaults } from './services.ts'
import { accountOf } from './shared/account.ts'
import { knownUsers } from './shared/known-users.ts'
import { TagElement } from './shared/tagging.ts'

/** More than allowed are read, so that the refusal comes from the rule for tags. */
const tagsReadMax = 500

const CreateBucketConfiguration = document(
  'CreateBucketConfiguration',
  struct({
    LocationConstraint: optional(text()),
    Location: optional(struct({ Name: optional(text()), Type: optional(text()) })),
    Bucket: optional(struct({ DataRedundancy: optional(text()), Type: optional(text()) })),
    Tags: optional(struct({ Tag: list(TagElement, { max: tagsReadMax }) })),
  }),
)

/** The region that came first, and answers otherwise than all others to this day. */
const oldestRegion = 'us-east-1'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
export const CreateBucket = operation({
  name: 'CreateBucket',
  route: 'PUT /{Bucket}',
  action: 's3:CreateBucket',
  bucket: 'new',
  input: {
    Bucket: bucketName(),
    Supported: headers(refuseUnsupported),
    ObjectOwnership: header('x-amz-object-ownership').oneOf(objectOwnerships).optional(),
    Acl: headers(parseAclHeaders),
    HasLock: header('x-amz-bucket-object-lock-enabled').map(parseFlag).optional(),
    Configuration: optionalXmlBody(CreateBucketConfiguration),
  },
  errors: [
    'BucketAlreadyExists',
    'BucketAlreadyOwnedByYou',
    'IllegalLocationConstraintException',
    'InvalidArgument',
    'InvalidBucketAclWithBlockPublicAccessError',
    'InvalidBucketAclWithObjectOwnership',
    'InvalidTag',
    'NotImplemented',
    'ServiceUnavailable',
    'TooManyBuckets',
  ],

  async handle(context, { Bucket: name, ObjectOwnership, Acl, HasLock, Configuration }) {
    const { services } = context
    const { LocationConstraint, Location, Bucket: directory, Tags } = Configuration ?? {}
    if (Location !== undefined || directory !== undefined) {
      throw new S3Error('NotImplemented', { message: 'Directory buckets are not supported by this server.' })
    }
    checkLocation(LocationConstraint, { region: services.defaults.region, signedRegion: context.signedRegion })
    const asked = { ownership: ObjectOwnership, acl: Acl, tags: Tags?.Tag ?? [], hasLock: HasLock === true }
    await authorizeSettings(context, name, asked)
    const { canonicalId } = accountOf(context.caller)
    const isKnownUser = await knownUsers(services.control, Acl, [canonicalId])
    const settings = settingsOf(asked, { defaults: services.defaults, owner: { ID: canonicalId }, isKnownUser })
    try {
      await services.control.createBucket({ name, ownerId: canonicalId, settings })
    } catch (error) {
      if (!(await isHarmlessRepeat(error, { context, name, asked }))) throw error
    }
    return { status: 200, headers: { location: `/${name}` } }
  },
})

interface AskedSettings {
  readonly ownership: ObjectOwnership | undefined
  readonly acl: RequestedAcl | undefined
  readonly tags: readonly Tag[]
  readonly hasLock: boolean
}

interface AclQuestion {
  readonly defaults: Defaults
  readonly owner: Owner
  readonly isKnownUser: (canonicalId: string) => boolean
}

/**
 * Without a constraint S3 takes us-east-1 to be meant and any other region refuses. Here the address already says the region, so that a
 * request signed for the region it reached is served; one signed for another region is a client at the wrong address.
 * @throws S3Error IllegalLocationConstraintException
 */
function checkLocation(constraint = '', { region, signedRegion }: { region: string; signedRegion: string | undefined }): void {
  // `EU` is S3's old name of eu-west-1.
  const wanted = constraint === '' ? signedRegion : constraint === 'EU' ? 'eu-west-1' : constraint
  if (wanted === region) return
  throw new S3Error('IllegalLocationConstraintException', {
    message: `The ${constraint.slice(0, 64) || 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  })
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html names an action for each. @throws S3Error AccessDenied */
async function authorizeSettings(
  context: OperationContext,
  bucketName: string,
  { ownership, acl, tags, hasLock }: AskedSettings,
): Promise<void> {
  const target = { bucket: undefined, bucketName, key: undefined }
  if (acl !== undefined) await context.authorize('s3:PutBucketAcl', target)
  if (ownership !== undefined) await context.authorize('s3:PutBucketOwnershipControls', target)
  if (tags.length > 0) await context.authorize('s3:TagResource', target)
  if (hasLock) {
    await context.authorize('s3:PutBucketObjectLockConfiguration', target)
    await context.authorize('s3:PutBucketVersioning', target)
  }
}

/** @throws S3Error for an ACL or tags that the bucket may not have */
function settingsOf(
  { ownership: askedOwnership, acl, tags, hasLock }: AskedSettings,
  { defaults, owner, isKnownUser }: AclQuestion,
): BucketSettings {
  const ownership = askedOwnership ?? defaults.ownership
  checkCreateBucketAcl(ownership, acl, owner)
  checkBucketTags(tags)
  return {
    ownership,
    ...(defaults.publicAccessBlock && { publicAccessBlock: allBlocked }),
    ...(acl !== undefined && { acl: checkedGrants(acl, { defaults, owner, isKnownUser }) }),
    ...(tags.length > 0 && { tags }),
    // With it the bucket is made with versions.
    ...(hasLock && { objectLock: {} }),
  }
}

/** @throws S3Error InvalidArgument */
function parseFlag(text: string): boolean {
  const flag = text.toLowerCase()
  if (flag === 'true' || flag === 'false') return flag === 'true'
  throw new S3Error('InvalidArgument', {
    message: 'Invalid x-amz-bucket-object-lock-enabled header value',
    details: { ArgumentName: 'x-amz-bucket-object-lock-enabled', ArgumentValue: text.slice(0, 64) },
  })
}

const allBlocked: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
}

function checkedGrants(requested: RequestedAcl, { defaults, owner, isKnownUser }: AclQuestion) {
  const acl = resolveAcl(requested, { owner })
  checkPolicy(acl, owner, isKnownUser)
  if (defaults.publicAccessBlock && isPublic(acl.Grants)) throw new S3Error('InvalidBucketAclWithBlockPublicAccessError')
  return acl.Grants
}

/**
 * S3: making one's own bucket again is 200 in us-east-1, called there, and 409 everywhere else.
 * NOTE: only for a request that asks for nothing beside the bucket: an answer of 200 would say that it was given.
 */
async function isHarmlessRepeat(
  error: unknown,
  { context, name, asked }: { readonly context: OperationContext; readonly name: string; readonly asked: AskedSettings },
): Promise<boolean> {
  const { control, defaults } = context.services
  if (!(error instanceof S3Error) || error.code !== 'BucketAlreadyOwnedByYou' || defaults.region !== oldestRegion) return false
  if (asked.acl !== undefined || asked.ownership !== undefined || asked.tags.length > 0 || asked.hasLock) return false
  return (await control.nameOf(name))?.region === oldestRegion
}
