/**
 * Tags of users, roles and policies. Unlike those of S3, their keys are told apart by their letters alone, not by case.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
 */
import { S3Error } from './errors.ts'
import { tagKeyMaxLength, tagValueMaxLength } from './limits.ts'
import type { Tag } from './tags.ts'

const allowed = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u

/** Their number is checked where they are added to those that stand. @throws S3Error InvalidInput | ValidationError */
export function checkIamTags(tags: readonly Tag[]): void {
  const seen = new Set<string>()
  for (const { Key, Value } of tags) {
    checkIamTagKey(Key)
    if (Value.length > tagValueMaxLength || !allowed.test(Value)) throw wrong('value', tagValueMaxLength)
    if (Key.toLowerCase().startsWith('aws:')) throw new S3Error('InvalidInput', { message: 'Tag keys may not begin with aws:.' })
    if (seen.has(Key.toLowerCase())) {
      throw new S3Error('InvalidInput', { message: 'Duplicate tag keys found. Please note that Tag keys are case insensitive.' })
    }
    seen.add(Key.toLowerCase())
  }
}

/** @throws S3Error ValidationError */
export function checkIamTagKey(key: string): void {
  if (key === '' || key.length > tagKeyMaxLength || !allowed.test(key)) throw wrong('key', tagKeyMaxLength)
}

function wrong(member: string, max: number): S3Error {
  return new S3Error('ValidationError', {
    message: `1 validation error detected: Value at 'tags.1.member.${member}' failed to satisfy constraint: Member must have length at most ${max} and satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]`,
  })
}
