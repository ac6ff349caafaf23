/** The source of CopyObject and UploadPartCopy: named by a header, found, allowed and judged by its conditions. */
import type { Bucket } from '../../model/bucket.ts'
import { checkCopySourceConditions } from '../../model/conditions.ts'
import { type CopySource, parseCopySource } from '../../model/copy-source.ts'
import { S3Error } from '../../model/errors.ts'
import { type ObjectVersion, publicVersionId } from '../../model/version.ts'
import type { OperationContext, Target } from '../../s3/define.ts'
import { header, type InputOf } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { readConditions } from './conditions.ts'
import { isVersioned, parseVersionId } from './version-ids.ts'

export const sourceMembers = {
  CopySource: header('x-amz-copy-source').map(parseCopySource).map(checkedSource),
  SourceConditions: readConditions('x-amz-copy-source-'),
  ExpectedSourceOwner: header('x-amz-source-expected-bucket-owner').optional(),
}

export interface FoundSource {
  readonly bucket: Bucket
  readonly version: ObjectVersion
  readonly target: Target
}

function checkedSource(source: CopySource): CopySource {
  if (source.versionId !== undefined) parseVersionId(source.versionId, 'x-amz-copy-source')
  return source
}

/**
 * @throws S3Error NoSuchBucket | NoSuchKey | NoSuchVersion | AccessDenied | PreconditionFailed | InvalidRequest (a delete marker by its id) |
 *   NotImplemented (a bucket of another region)
 */
export async function findSource(context: OperationContext, input: InputOf<typeof sourceMembers>): Promise<FoundSource> {
  const { CopySource: source, SourceConditions, ExpectedSourceOwner } = input
  const bucket = await sourceBucket(context, source.bucket, ExpectedSourceOwner)
  const target: Target = { bucket, bucketName: bucket.name, key: source.key, versionId: source.versionId }
  const confirm = await context.authorize(source.versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', target)
  const version = await sourceVersion(context, { bucket, source })
  confirm?.(version)
  checkCopySourceConditions(SourceConditions, version)
  return { bucket, version, target }
}

/** Names the version that was copied, when the source's bucket has versions. */
export function sourceHeader({ bucket, version }: FoundSource): ReplyHeaders {
  return isVersioned(bucket) ? { 'x-amz-copy-source-version-id': publicVersionId(version) } : {}
}

async function sourceBucket(context: OperationContext, name: string, expectedOwner: string | undefined): Promise<Bucket> {
  try {
    return await context.resolveBucket(name, expectedOwner)
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== 'PermanentRedirect') throw error
    const region = error.headers['x-amz-bucket-region'] ?? 'another region'
    throw new S3Error('NotImplemented', {
      message: `Copying from a bucket of another region is not implemented: ${name} is in ${region}.`,
      details: { BucketName: name },
      cause: error,
    })
  }
}

async function sourceVersion(
  context: OperationContext,
  { bucket, source }: { readonly bucket: Bucket; readonly source: CopySource },
): Promise<ObjectVersion> {
  try {
    return await context.services.objects.find({ bucket, key: source.key, versionId: source.versionId })
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    if (error.code === 'MethodNotAllowed') {
      throw new S3Error('InvalidRequest', {
        message: 'The source of a copy request may not specifically refer to a delete marker by version id.',
        cause: error,
      })
    }
    const isAbsent = error.code === 'NoSuchKey' || error.code === 'NoSuchVersion'
    if (isAbsent) await context.authorize('s3:ListBucket', { bucket, bucketName: bucket.name, key: undefined })
    // Its headers tell of a marker at the source; this answer is about the destination.
    throw isAbsent ? new S3Error(error.code, { details: error.details, cause: error }) : error
  }
}
