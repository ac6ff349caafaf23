/** Tag sets on the wire. */
import { bucketTagsMax } from '../../model/limits.ts'
import type { Tag } from '../../model/tags.ts'
import { type XmlBody, xml } from '../../s3/reply.ts'
import { document, list, struct, text } from '../../s3/xml/shapes.ts'

export const TagElement = struct({ Key: text(), Value: text() })

/** How many are read; fewer are allowed, and the rules of `model/tags.ts` say so by their own codes. */
const readMax = 10 * bucketTagsMax

/** The body of PutObjectTagging and PutBucketTagging. */
export const TaggingDocument = document('Tagging', struct({ TagSet: struct({ Tag: list(TagElement, { max: readMax }) }) }))

/** The answer of GetObjectTagging and GetBucketTagging. */
export function taggingBody(tags: readonly Tag[]): XmlBody {
  return xml('Tagging', { TagSet: { Tag: tags.map(({ Key, Value }) => ({ Key, Value })) } })
}
