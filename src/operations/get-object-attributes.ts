/** GetObjectAttributes: what is known of an object, chosen by name. */
import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { listMaxEntries } from '../model/limits.ts'
import { parseMaxEntries } from '../model/listing-parameters.ts'
import type { ObjectVersion, Part, StoredChecksum } from '../model/version.ts'
import { operation } from '../s3/define.ts'
import { header, headers, objectKey } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { httpTime, type XmlValue } from '../s3/xml/write.ts'
import { checksumElement, typedChecksumElements } from './shared/checksums.ts'
import { findObject } from './shared/find.ts'
import { objectTarget } from './shared/targets.ts'
import { isVersioned, versionAction, versionHeader, versionIdQuery } from './shared/version-ids.ts'

const attributeNames: readonly string[] = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html */
export const GetObjectAttributes = operation({
  name: 'GetObjectAttributes',
  route: 'GET /{Bucket}/{Key+}?attributes',
  action: versionAction('Get', 'Attributes'),
  input: {
    Key: objectKey(),
    VersionId: versionIdQuery(),
    Attributes: header('x-amz-object-attributes').map(parseAttributes),
    MaxParts: header('x-amz-max-parts')
      .map((text) => parseMaxEntries(text, 'max-parts'))
      .optional(),
    PartNumberMarker: header('x-amz-part-number-marker').map(parseMarker).optional(),
    Supported: headers(refuseUnsupported),
  },
  errors: ['InvalidArgument', 'InvalidRequest', 'MethodNotAllowed', 'NoSuchKey', 'NoSuchVersion', 'NotImplemented'],

  async handle(context, { Key, VersionId, Attributes, MaxParts, PartNumberMarker }) {
    const { bucket, services } = context
    await context.authorize(VersionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', objectTarget(context, Key, VersionId))
    const version = await findObject(context, { key: Key, versionId: VersionId })
    const wants = (name: string): boolean => Attributes.includes(name)
    const layout = wants('ObjectParts') ? await services.objects.partLayout(version) : undefined
    const page = { marker: PartNumberMarker ?? 0, maxParts: MaxParts ?? listMaxEntries }
    const body = xml('GetObjectAttributesResponse', {
      // Without quotes, here alone.
      ETag: wants('ETag') ? version.etag : undefined,
      Checksum: wants('Checksum') && version.record.checksum !== undefined ? checksumElements(version.record.checksum) : undefined,
      ObjectParts: layout === undefined ? undefined : partElements(version, layout, page),
      StorageClass: wants('StorageClass') ? version.storageClass : undefined,
      ObjectSize: wants('ObjectSize') ? version.size : undefined,
    })
    return {
      status: 200,
      headers: { 'last-modified': httpTime(version.lastModifiedMs), ...(isVersioned(bucket) && versionHeader(version)) },
      body,
    }
  },
})

/** A composite value stands without its `-N` here, as S3 writes it; how many parts there are is told beside it. */
function checksumElements(checksum: StoredChecksum): XmlValue {
  return typedChecksumElements({ ...checksum, value: checksum.value.replace(/-\d+$/, '') })
}

/** S3 lists the parts of an object whose checksum is made of theirs; of others it tells how many there are. */
function partElements(
  version: ObjectVersion,
  layout: readonly Part[],
  { marker, maxParts }: { readonly marker: number; readonly maxParts: number },
): XmlValue {
  if (version.record.checksum?.type !== 'COMPOSITE') return { PartsCount: layout.length }
  const following = layout.filter(({ number }) => number > marker)
  const parts = following.slice(0, maxParts)
  return {
    IsTruncated: maxParts > 0 && following.length > maxParts,
    MaxParts: maxParts,
    NextPartNumberMarker: parts.at(-1)?.number ?? marker,
    PartNumberMarker: marker,
    Part: parts.map(({ number, size, checksum }) => ({ PartNumber: number, Size: size, ...checksumElement(checksum) })),
    PartsCount: layout.length,
  }
}

/** @throws S3Error InvalidArgument */
function parseAttributes(text: string): readonly string[] {
  const names = text.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !attributeNames.includes(name))
  if (unknown === undefined) return names
  throw new S3Error('InvalidArgument', {
    message: 'Invalid attribute name specified.',
    details: { ArgumentName: 'x-amz-object-attributes', ArgumentValue: unknown.slice(0, 256) },
  })
}

/** @throws S3Error InvalidArgument */
function parseMarker(text: string): number {
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new S3Error('InvalidArgument', {
    message: 'Provided part-number-marker not an integer or within integer range',
    details: { ArgumentName: 'part-number-marker', ArgumentValue: text.slice(0, 64) },
  })
}
