/** GetObject and HeadObject: which version, whether it is wanted, which bytes of it, and every header of the answer. */
import { checkReadConditions, type ReadConditions } from '../../model/conditions.ts'
import { S3Error } from '../../model/errors.ts'
import { quoteEtag } from '../../model/etag.ts'
import { headerValue, refuseUnsupported } from '../../model/headers.ts'
import { parseHttpDate } from '../../model/http-date.ts'
import { type ByteRange, checkRangeOrPart, contentRange, parsePartNumber, parseRange, partRange, rangeLength } from '../../model/ranges.ts'
import { headerStatus } from '../../model/replication-status.ts'
import { restoreHeader } from '../../model/restore.ts'
import { systemMetadataHeaders, userMetadataHeaders } from '../../model/user-metadata.ts'
import type { ObjectVersion, Part } from '../../model/version.ts'
import type { OperationContext } from '../../s3/define.ts'
import { header, headers, type InputOf, objectKey, query } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'
import { httpTime } from '../../s3/xml/write.ts'
import { encryptionHeader } from './attributes.ts'
import { checksumHeaders, typedChecksumHeaders } from './checksums.ts'
import { readConditions } from './conditions.ts'
import { expirationHeader } from './expiration.ts'
import { findObject } from './find.ts'
import { lockHeaders } from './object-lock.ts'
import { responseOverrides } from './response-overrides.ts'
import { isVersioned, versionHeader, versionIdQuery } from './version-ids.ts'

export const readMembers = {
  Key: objectKey(),
  VersionId: versionIdQuery(),
  PartNumber: query('partNumber').map(parsePartNumber).optional(),
  Range: header('range').optional(),
  IfRange: header('if-range').optional(),
  Conditions: readConditions(),
  WantsChecksum: headers((all) => headerValue(all, 'x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'),
  Overrides: responseOverrides(),
  Supported: headers(refuseUnsupported),
}

type ReadInput = InputOf<typeof readMembers>

export interface ReadPlan {
  readonly version: ObjectVersion
  readonly status: 200 | 206
  readonly headers: ReplyHeaders
  /** undefined: all of it. */
  readonly range: ByteRange | undefined
  readonly lengthBytes: number
}

/**
 * @throws S3Error NoSuchKey | NoSuchVersion | MethodNotAllowed | AccessDenied | PreconditionFailed | NotModified | InvalidRange | InvalidRequest |
 *   InvalidPart | InvalidPartNumber
 */
export async function planRead(context: OperationContext, input: ReadInput): Promise<ReadPlan> {
  const { Key, VersionId, PartNumber } = input
  checkRangeOrPart(input.Range, PartNumber)
  const version = await findObject(context, { key: Key, versionId: VersionId })
  const validators = validatorHeaders(context, version)
  checkConditions(input.Conditions, version, validators)
  const layout = PartNumber === undefined ? undefined : await context.services.objects.partLayout(version)
  const range = PartNumber === undefined ? askedRange(input, version) : askedPart(PartNumber, version, layout)
  const lengthBytes = range === undefined ? version.size : rangeLength(range)
  // An empty range has no place that Content-Range could name.
  const isPartial = range !== undefined && lengthBytes > 0
  return {
    version,
    range,
    lengthBytes,
    status: isPartial ? 206 : 200,
    headers: {
      'accept-ranges': 'bytes',
      ...validators,
      ...objectHeaders(version, context.nowMs),
      ...(await lockHeaders(context, { version, versionId: VersionId })),
      // S3 tells it of what is asked for without an id.
      ...(VersionId === undefined && expirationHeader(context, version)),
      ...(isPartial && { 'content-range': contentRange(range, version.size) }),
      ...(layout !== undefined && { 'x-amz-mp-parts-count': layout.length }),
      ...(input.WantsChecksum && checksumOfRead(version, { range, part: PartNumber === undefined ? undefined : layout?.[PartNumber - 1] })),
      ...input.Overrides,
    },
  }
}

/** @throws S3Error NotModified with all that a 304 must carry (RFC 9110 §15.4.5) | PreconditionFailed */
function checkConditions(conditions: ReadConditions, version: ObjectVersion, validators: ReplyHeaders): void {
  try {
    checkReadConditions(conditions, version)
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== 'NotModified') throw error
    const { cacheControl, expires } = version.record.system
    const kept = Object.entries({ ...validators, 'cache-control': cacheControl, expires }).filter(([, value]) => value !== undefined)
    throw new S3Error('NotModified', { headers: Object.fromEntries(kept.map(([name, value]) => [name, String(value)])), cause: error })
  }
}

function validatorHeaders({ bucket }: OperationContext, version: ObjectVersion): ReplyHeaders {
  return {
    'last-modified': httpTime(version.lastModifiedMs),
    etag: quoteEtag(version.etag),
    ...(isVersioned(bucket) && versionHeader(version)),
  }
}

function askedRange({ Range, IfRange }: ReadInput, version: ObjectVersion): ByteRange | undefined {
  if (Range === undefined || (IfRange !== undefined && !isSame(IfRange, version))) return undefined
  return parseRange(Range, version.size)
}

/** RFC 9110 §13.1.5: the range is wanted only of what the client already has a piece of. */
function isSame(validator: string, { etag, lastModifiedMs }: ObjectVersion): boolean {
  if (validator.includes('"')) return validator.trim() === quoteEtag(etag)
  return parseHttpDate(validator) === Math.floor(lastModifiedMs / 1000) * 1000
}

function askedPart(partNumber: number, version: ObjectVersion, layout: readonly Part[] | undefined): ByteRange {
  return partRange(partNumber, {
    sizeBytes: version.size,
    ...(layout !== undefined && { partSizes: layout.map(({ size }) => size) }),
  })
}

/** Beside validators and ranges: what was stored with the object, and how it stands. */
function objectHeaders(version: ObjectVersion, nowMs: number): ReplyHeaders {
  const { record, storageClass, replication } = version
  const tagCount = record.tags.value.length
  return {
    ...systemMetadataHeaders(record.system),
    ...userMetadataHeaders(record.user),
    ...encryptionHeader(record.encryption !== undefined),
    // S3 is silent about the usual class and about no tags.
    'x-amz-storage-class': storageClass === 'STANDARD' ? undefined : storageClass,
    'x-amz-restore': restoreHeader(version, nowMs),
    'x-amz-tagging-count': tagCount === 0 ? undefined : tagCount,
    'x-amz-replication-status': headerStatus(replication),
  }
}

/** A checksum describes whole things: the object, or one part that has its own. Of other ranges nothing is told. */
function checksumOfRead(
  version: ObjectVersion,
  { range, part }: { readonly range: ByteRange | undefined; readonly part: Part | undefined },
): ReplyHeaders {
  const { checksum } = version.record
  if (checksum === undefined) return {}
  if (part !== undefined && checksum.type === 'COMPOSITE')
    return { ...checksumHeaders(part.checksum), 'x-amz-checksum-type': checksum.type }
  return range === undefined || rangeLength(range) === version.size ? typedChecksumHeaders(checksum) : {}
}
