/** The Filter of a V2 replication rule: which keys and tags it is for. */
import { S3Error } from './errors.ts'
import { keyMaxBytes, objectTagsMax } from './limits.ts'
import type { ReplicationFilter } from './replication-configuration.ts'
import type { ReplicationFilterInput, TagInput } from './replication-input.ts'
import { checkObjectTags, type Tag } from './tags.ts'

/** @throws S3Error MalformedXML | InvalidArgument | InvalidTag | InvalidRequest (a tag key twice, more tags than an object can have) */
export function checkFilter(input: ReplicationFilterInput): ReplicationFilter {
  const { Prefix: prefix, Tag: tag, And: and } = input
  if ([prefix, tag, and].filter((member) => member !== undefined).length > 1) throw new S3Error('MalformedXML')
  if (prefix !== undefined) return { Prefix: checkPrefix(prefix) }
  if (tag !== undefined) return { Tag: checkTag(tag) }
  if (and === undefined) return {}

  const tags = checkTags(and.Tag ?? [])
  if (tags.length === 0) throw new S3Error('MalformedXML')
  return { And: { ...(and.Prefix !== undefined && { Prefix: checkPrefix(and.Prefix) }), Tag: tags } }
}

/** @throws S3Error InvalidArgument */
export function checkPrefix(prefix: string): string {
  if (Buffer.byteLength(prefix) > keyMaxBytes) {
    throw new S3Error('InvalidArgument', {
      message: `The maximum size of a prefix is ${keyMaxBytes}.`,
      details: { ArgumentName: 'Prefix', ArgumentValue: prefix.slice(0, keyMaxBytes) },
    })
  }
  return prefix
}

export function hasTags(filter: ReplicationFilter): boolean {
  return filter.Tag !== undefined || filter.And !== undefined
}

/** @throws S3Error MalformedXML | InvalidTag | InvalidRequest (a tag key twice, more tags than an object can have) */
export function checkTags(inputs: readonly TagInput[]): readonly Tag[] {
  const tags = inputs.map(checkTag)
  if (tags.length > objectTagsMax) {
    throw new S3Error('InvalidRequest', { message: `A filter cannot have more than ${objectTagsMax} tags: no object has more.` })
  }
  if (new Set(tags.map(({ Key }) => Key)).size !== tags.length) {
    throw new S3Error('InvalidRequest', { message: 'Duplicate Tag Keys are not allowed.' })
  }
  return tags
}

/** @throws S3Error MalformedXML | InvalidTag */
export function checkTag({ Key, Value }: TagInput): Tag {
  if (Key === undefined || Value === undefined) throw new S3Error('MalformedXML')
  checkObjectTags([{ Key, Value }])
  return { Key, Value }
}
