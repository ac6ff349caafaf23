/** Amazon Resource Names: the few shapes that buckets, objects and roles have. */
import { S3Error } from './errors.ts'

/** `arn:aws:s3:::bucket`, or `arn:aws:s3:::bucket/key` when a key is given. */
export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`
}

export function objectArn({ bucket, key }: { readonly bucket: string; readonly key: string }): string {
  return `arn:aws:s3:::${bucket}/${key}`
}

/** The bucket's name; undefined when `text` is not the ARN of a bucket (an object's is not). */
export function parseBucketArn(text: string): string | undefined {
  return bucketArnPattern.exec(text)?.[1]
}

/**
 * The bucket's name.
 * @throws S3Error InvalidArgument, which names the argument `Bucket`
 */
export function checkBucketArn(text: string): string {
  const bucket = parseBucketArn(text)
  if (bucket === undefined) {
    throw new S3Error('InvalidArgument', {
      message: 'Invalid bucket ARN.',
      details: { ArgumentName: 'Bucket', ArgumentValue: text.slice(0, 256) },
    })
  }
  return bucket
}

export interface RoleArn {
  readonly accountId: string
  /** Begins and ends with `/`; `/` alone when the role has none. */
  readonly path: string
  readonly name: string
}

export function formatRoleArn({ accountId, path, name }: RoleArn): string {
  return `arn:aws:iam::${accountId}:role${path}${name}`
}

/** Undefined when `text` is not the ARN of a role. */
export function parseRoleArn(text: string): RoleArn | undefined {
  const groups = roleArnPattern.exec(text)
  const [, accountId, path, name] = groups ?? []
  if (accountId === undefined || path === undefined || name === undefined) return undefined
  return { accountId, path, name }
}

// What follows is only the outer shape of a bucket's name: whether such a bucket exists is asked next, and says more.
const bucketArnPattern = /^arn:aws:s3:::([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])$/
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
const roleArnPattern = /^arn:aws:iam::([0-9]{12}):role(\/(?:[\x21-\x7e]{1,510}\/)?)([\w+=,.@-]{1,64})$/
