/** UploadPartCopy. */
import { S3Error } from '../model/errors.ts'
import { quoteEtag } from '../model/etag.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { partMaxBytes } from '../model/limits.ts'
import { type ByteRange, parseCopyRange, rangeLength } from '../model/ranges.ts'
import { isUnreadable, notRestored } from '../model/restore.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { header, headers, type InputOf } from '../s3/members.ts'
import { type Reply, slow, xml } from '../s3/reply.ts'
import { isoTime } from '../s3/xml/write.ts'
import { encryptionHeader } from './shared/attributes.ts'
import { checksumElement } from './shared/checksums.ts'
import { type FoundSource, findSource, sourceHeader, sourceMembers } from './shared/copy-source.ts'
import { untilOpened } from './shared/find.ts'
import { checkContributor, partNumberMember, uploadMembers } from './shared/uploads.ts'

const members = {
  ...uploadMembers,
  ...partNumberMember,
  ...sourceMembers,
  SourceRange: header('x-amz-copy-source-range').optional(),
  Supported: headers(refuseUnsupported),
}

type PartInput = InputOf<typeof members>

/**
 * Stores bytes of another object, all or a range, as one part of an upload.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export const UploadPartCopy = operation({
  name: 'UploadPartCopy',
  route: 'PUT /{Bucket}/{Key+}?partNumber&uploadId [x-amz-copy-source]',
  action: 's3:PutObject',
  writes: true,
  input: members,
  errors: [
    'InvalidArgument',
    'InvalidObjectState',
    'InvalidRequest',
    'NoSuchKey',
    'NoSuchUpload',
    'NoSuchVersion',
    'NotImplemented',
    'PreconditionFailed',
  ],

  async handle(context, input) {
    const { bucket, services } = context
    checkContributor(context, await services.objects.findOpenUpload({ bucket, key: input.Key, uploadId: input.UploadId }))
    const found = await findSource(context, input)
    if (isUnreadable(found.version, context.nowMs)) throw notRestored(found.version)
    // What can be refused at once is refused with a status of its own.
    rangeOf(input, found)
    return slow(untilOpened(async (isRepeated) => copyPart(context, input, isRepeated ? await findSource(context, input) : found)))
  },
})

async function copyPart({ bucket, services, signal }: OperationContext, input: PartInput, source: FoundSource): Promise<Reply> {
  const { Key: key, UploadId: uploadId, PartNumber: number } = input
  const { upload, part } = await services.objects.withContentOf(source.version, {
    range: rangeOf(input, source),
    signal,
    use: (content) => services.objects.putPart({ bucket, key, uploadId, number, claims: {}, signal }, content),
  })
  return {
    status: 200,
    headers: { ...sourceHeader(source), ...encryptionHeader(upload.record.isEncrypted) },
    body: xml('CopyPartResult', {
      LastModified: isoTime(part.lastModifiedMs),
      ETag: quoteEtag(part.etag),
      ...checksumElement(part.checksum),
    }),
  }
}

/** @throws S3Error InvalidArgument (a range that is not inside the source) | InvalidRequest (more than a part can hold) */
function rangeOf({ SourceRange }: PartInput, { version }: FoundSource): ByteRange | undefined {
  const range = SourceRange === undefined ? undefined : parseCopyRange(SourceRange, version.size)
  if ((range === undefined ? version.size : rangeLength(range)) <= partMaxBytes) return range
  throw new S3Error('InvalidRequest', {
    message: `The specified copy source is larger than the maximum allowable size for a copy source: ${partMaxBytes}`,
  })
}
