/**
 * Tags of objects and buckets.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/CostAllocTagging.html
 */
import { S3Error } from './errors.ts'
import { bucketTagsMax, objectTagsMax, tagKeyMaxLength, tagValueMaxLength } from './limits.ts'

export interface Tag {
  readonly Key: string
  readonly Value: string
}

/** AWS counts UTF-16 units and takes letters, digits, white space and these signs of any script. */
const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** @throws S3Error BadRequest (over 10) | InvalidTag */
export function checkObjectTags(tags: readonly Tag[]): void {
  if (tags.length > objectTagsMax) {
    throw new S3Error('BadRequest', { message: `Object tags cannot be greater than ${objectTagsMax}` })
  }
  checkTags(tags)
}

/** @throws S3Error BadRequest (over 50) | InvalidTag */
export function checkBucketTags(tags: readonly Tag[]): void {
  if (tags.length > bucketTagsMax) {
    throw new S3Error('BadRequest', { message: `Bucket tag count cannot be greater than ${bucketTagsMax}` })
  }
  checkTags(tags)
}

/**
 * Reads and checks `x-amz-tagging` of an object: a query string, `a=1&b=2`, in which `+` is a space.
 * @throws S3Error InvalidArgument (not a query string in UTF-8) | BadRequest | InvalidTag
 */
export function parseTaggingHeader(header: string): readonly Tag[] {
  const tags: Tag[] = []
  for (const pair of header.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const key = equals < 0 ? pair : pair.slice(0, equals)
    const value = equals < 0 ? '' : pair.slice(equals + 1)
    tags.push({ Key: decodeForm(key), Value: decodeForm(value) })
  }
  checkObjectTags(tags)
  return tags
}

function checkTags(tags: readonly Tag[]): void {
  const seen = new Set<string>()
  for (const { Key, Value } of tags) {
    if (Key === '' || Key.length > tagKeyMaxLength || !allowed.test(Key)) {
      throw new S3Error('InvalidTag', { message: 'The TagKey you have provided is invalid', details: { TagKey: cut(Key) } })
    }
    if (Value.length > tagValueMaxLength || !allowed.test(Value)) {
      throw new S3Error('InvalidTag', {
        message: 'The TagValue you have provided is invalid',
        details: { TagKey: Key, TagValue: cut(Value) },
      })
    }
    if (Key.toLowerCase().startsWith('aws:')) {
      throw new S3Error('InvalidTag', { message: 'System tags cannot be added/updated by requester', details: { TagKey: Key } })
    }
    if (seen.has(Key)) {
      throw new S3Error('InvalidTag', { message: 'Cannot provide multiple Tags with the same key', details: { TagKey: Key } })
    }
    seen.add(Key)
  }
}

/** A raw non-ASCII byte of the header is UTF-8 that the client did not escape; Node shows it as one latin1 character. */
function decodeForm(text: string): string {
  const escaped = text.replaceAll('+', ' ').replace(/[\x80-\xff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`)
  try {
    return decodeURIComponent(escaped)
  } catch (cause) {
    throw new S3Error('InvalidArgument', {
      message: "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
      details: { ArgumentName: 'x-amz-tagging' },
      cause,
    })
  }
}

/** A refused text on its way into the error document: not longer than it could ever be, nothing that XML cannot carry. */
function cut(text: string): string {
  return text.slice(0, tagValueMaxLength).replace(/[^\p{L}\p{Z}\p{N}\p{P}\p{S}]/gu, '?')
}
