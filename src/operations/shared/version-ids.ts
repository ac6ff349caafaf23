/** Version ids as clients write and read them. */
import { isOrderedId } from '../../lib/hybrid-clock.ts'
import type { Bucket } from '../../model/bucket.ts'
import { S3Error } from '../../model/errors.ts'
import { type ObjectVersion, publicVersionId } from '../../model/version.ts'
import { type Member, query } from '../../s3/members.ts'
import type { ReplyHeaders } from '../../s3/reply.ts'

/** `?versionId=`: `null`, or the form of an id, whether there is such a version or not. */
export function versionIdQuery(): Member<string | undefined> {
  return query('versionId').map(parseVersionId).optional()
}

/** @throws S3Error InvalidArgument */
export function parseVersionId(text: string, argumentName = 'versionId'): string {
  if (text === 'null' || isOrderedId(text)) return text
  throw new S3Error('InvalidArgument', {
    message: text === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified',
    details: { ArgumentName: argumentName, ArgumentValue: text.slice(0, 1024) },
  })
}

/** Buckets that never had versioning speak of no versions. */
export function isVersioned(bucket: Bucket): boolean {
  return bucket.versioning !== 'Unversioned'
}

export function versionHeader(version: Pick<ObjectVersion, 'id' | 'isNull'>): ReplyHeaders {
  return { 'x-amz-version-id': publicVersionId(version) }
}

/** The action's name on a version that the request names, and on the current one: `s3:GetObjectVersion`, `s3:GetObject`. */
export function versionAction(verb: string, thing: string): (input: { readonly VersionId: string | undefined }) => string {
  return ({ VersionId }) => (VersionId === undefined ? `s3:${verb}Object${thing}` : `s3:${verb}ObjectVersion${thing}`)
}
