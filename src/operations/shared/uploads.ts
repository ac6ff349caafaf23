/** What the operations on one multipart upload share. */
import { isInitiator, mayContinue } from '../../access/initiator.ts'
import { isOrderedId } from '../../lib/hybrid-clock.ts'
import { S3Error } from '../../model/errors.ts'
import { parsePartNumber } from '../../model/ranges.ts'
import type { Upload, UploadRecord } from '../../model/upload.ts'
import type { OperationContext } from '../../s3/define.ts'
import { type InputOf, objectKey, query } from '../../s3/members.ts'
import { objectTarget } from './targets.ts'

/** @throws S3Error NoSuchUpload: what has not the form of an id is the id of nothing */
export const uploadMembers = {
  Key: objectKey(),
  UploadId: query('uploadId').map((text) => {
    if (isOrderedId(text)) return text
    throw new S3Error('NoSuchUpload', { details: { UploadId: text.slice(0, 1024) } })
  }),
}

export const partNumberMember = { PartNumber: query('partNumber').map(parsePartNumber) }

/** @throws S3Error AccessDenied: may put the object, but the upload is another's */
export function checkContributor({ caller, bucket }: OperationContext, upload: Upload): void {
  if (!mayContinue(caller, upload.record, bucket)) throw new S3Error('AccessDenied')
}

/**
 * For what initiators may do with their uploads. Whoever may not learns nothing of whether there is one.
 * @throws S3Error AccessDenied
 */
export async function authorizeUpload(context: OperationContext, action: string, input: InputOf<typeof uploadMembers>): Promise<void> {
  const { caller, bucket, services } = context
  const { Key: key, UploadId: uploadId } = input
  const upload = await services.objects.findUpload({ bucket, key, uploadId }).catch((error: unknown) => {
    if (error instanceof S3Error && error.code === 'NoSuchUpload') return undefined
    throw error
  })
  const isOwn = upload !== undefined && isInitiator(caller, upload.record)
  await context.authorize(action, { ...objectTarget(context, key), isInitiator: isOwn })
}

/** Initiator and Owner of an upload in XML: a user or a session by its ARN, an account by its canonical id. */
export function uploadPeople({ initiator, ownerId }: UploadRecord) {
  const initiatorId = initiator?.isRoot === false ? initiator.arn : (initiator?.canonicalId ?? ownerId)
  return { Initiator: { ID: initiatorId }, Owner: { ID: ownerId } }
}

/** The checksum of an upload in XML, as far as the client named one. */
export function givenChecksum({ checksum }: UploadRecord): { readonly ChecksumAlgorithm?: string; readonly ChecksumType?: string } {
  return checksum.isGiven ? { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type } : {}
}
