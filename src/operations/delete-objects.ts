/** DeleteObjects: many deletions in one request, each allowed or refused, done or not, for itself. */

import { S3Error } from '../model/errors.ts'
import { refuseUnsupported } from '../model/headers.ts'
import { deleteObjectsMax, xmlListBodyMaxBytes } from '../model/limits.ts'
import { checkKey } from '../model/names.ts'
import type { Deleted } from '../model/version.ts'
import { type OperationContext, operation } from '../s3/define.ts'
import { headers, xmlBody } from '../s3/members.ts'
import { xml } from '../s3/reply.ts'
import { bool, document, list, optional, struct, text } from '../s3/xml/shapes.ts'
import type { XmlValue } from '../s3/xml/write.ts'
import { bypassMember, mayBypass } from './shared/object-lock.ts'
import { objectTarget, writerId } from './shared/targets.ts'
import { parseVersionId } from './shared/version-ids.ts'

const ObjectElement = struct({
  Key: text(),
  VersionId: optional(text()),
  ETag: optional(text()),
  LastModifiedTime: optional(text()),
  Size: optional(text()),
})
const Delete = document('Delete', struct({ Object: list(ObjectElement, { min: 1, max: deleteObjectsMax }), Quiet: optional(bool()) }), {
  maxBytes: xmlListBodyMaxBytes,
})

interface Wanted {
  readonly key: string
  readonly versionId?: string
  readonly ifMatch?: string
}

type Outcome = Deleted | { readonly code: string; readonly message: string }

/**
 * What is allowed goes in one commit; the answer keeps the order of the request.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export const DeleteObjects = operation({
  name: 'DeleteObjects',
  route: 'POST /{Bucket}?delete',
  action: 's3:DeleteObject',
  asksItself: true,
  input: { Delete: xmlBody(Delete, { integrity: 'required' }), ...bypassMember, Supported: headers(refuseUnsupported) },
  errors: ['BadDigest', 'InvalidDigest', 'InvalidRequest', 'MalformedXML', 'MissingRequestBodyError', 'NotImplemented'],

  async handle(context, input) {
    const { Object: objects, Quiet: isQuiet = false } = input.Delete
    const wanted = objects.map(toWanted)
    const refused = await Promise.all(wanted.map((one) => refusalOf(context, one)))
    const accepted = await Promise.all(
      wanted
        .filter((_, index) => refused[index] === undefined)
        .map(async (one) => ({ ...one, bypass: await bypasses(context, input.Bypass, one) })),
    )
    const { bucket, services } = context
    const outcomes =
      accepted.length === 0 ? [] : await services.objects.deleteMany({ bucket, ownerId: writerId(context), objects: accepted })
    const done = outcomes.values()
    const entries = wanted.map((one, index): XmlValue => entryOf(one, refused[index] ?? done.next().value ?? {}))
    return { status: 200, body: xml('DeleteResult', { '*': entries.filter((entry) => !isQuiet || isErrorEntry(entry)) }) }
  },
})

/** Conditions other than the ETag are those of directory buckets. */
function toWanted({ Key: key, VersionId, ETag, LastModifiedTime, Size }: ReturnType<typeof ObjectElement.decode>): Wanted {
  const unsupported = LastModifiedTime !== undefined ? 'LastModifiedTime' : Size !== undefined ? 'Size' : undefined
  if (unsupported !== undefined) {
    throw new S3Error('NotImplemented', { message: `The element ${unsupported} of DeleteObjects is not supported by this server.` })
  }
  return {
    key,
    // Some clients write an empty element for an object without a version.
    ...(VersionId !== undefined && VersionId !== '' && { versionId: VersionId }),
    ...(ETag !== undefined && { ifMatch: ETag }),
  }
}

/** Why one of them is not even tried. */
async function refusalOf(context: OperationContext, { key, versionId, ifMatch }: Wanted): Promise<Outcome | undefined> {
  try {
    checkKey(key)
    if (versionId !== undefined) parseVersionId(versionId, 'VersionId')
    const target = objectTarget(context, key, versionId)
    await context.authorize(versionId === undefined ? 's3:DeleteObject' : 's3:DeleteObjectVersion', target)
    // The answer to a condition tells what is there.
    if (ifMatch !== undefined) await context.authorize(versionId === undefined ? 's3:GetObject' : 's3:GetObjectVersion', target)
    return undefined
  } catch (error) {
    if (!(error instanceof S3Error)) throw error
    return { code: error.code, message: error.message }
  }
}

function bypasses(context: OperationContext, isAsked: boolean, { key, versionId }: Wanted): Promise<boolean> {
  return mayBypass(context, isAsked && versionId !== undefined, { target: objectTarget(context, key, versionId) })
}

function entryOf({ key, versionId }: Wanted, outcome: Outcome): XmlValue {
  if ('code' in outcome) return { Error: { Key: key, VersionId: versionId, Code: outcome.code, Message: outcome.message } }
  const { deleteMarker } = outcome
  return {
    Deleted: {
      Key: key,
      VersionId: versionId,
      DeleteMarker: deleteMarker,
      DeleteMarkerVersionId: deleteMarker === true ? outcome.versionId : undefined,
    },
  }
}

function isErrorEntry(entry: XmlValue): boolean {
  return typeof entry === 'object' && 'Error' in entry
}
