/**
 * Whether a bucket's policy opens it to the public, as S3 means it: an Allow to everyone that no condition holds to fixed values.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
 */
import { parseIpRange } from './ip-range.ts'
import type { Condition } from './policy-conditions.ts'
import type { PolicyDocument } from './policy-document.ts'

/** Keys whose fixed values tell callers apart; lower case. */
const narrowingKeys: ReadonlySet<string> = new Set([
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalorgid',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceip',
  'aws:sourceowner',
  'aws:sourcevpc',
  'aws:sourcevpce',
  'aws:userid',
  's3:dataaccesspointaccount',
  's3:dataaccesspointarn',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
])
const narrowingOperators: ReadonlySet<string> = new Set([
  'StringEquals',
  'StringEqualsIgnoreCase',
  'StringLike',
  'ArnEquals',
  'ArnLike',
  'IpAddress',
])
/** S3: wider ranges of addresses are the public. */
const prefixLengthMin = { 4: 8, 6: 32 } as const

export function isPublicPolicy({ statements }: PolicyDocument): boolean {
  return statements.some(
    ({ effect, principals, conditions }) => effect === 'Allow' && principals?.everyone === true && !conditions.some(isNarrow),
  )
}

/** Optional and negated conditions, and those that hold for no value at all, hold for somebody unknown. */
function isNarrow({ operator, quantifier, ifExists, key, values }: Condition): boolean {
  if (ifExists || quantifier === 'ForAllValues' || !narrowingOperators.has(operator) || !narrowingKeys.has(key.toLowerCase())) return false
  return values.every((value) => (operator === 'IpAddress' ? isNarrowRange(value) : isFixed(key, value)))
}

/** Without wildcards and variables; of a user id the part before the session's name is enough. */
function isFixed(key: string, value: string): boolean {
  if (value.includes('${')) return false
  const fixed = key.toLowerCase() === 'aws:userid' ? value.replace(/^(AROA[A-Z0-9]+):\*$/, '$1') : value
  return !/[*?]/.test(fixed)
}

function isNarrowRange(value: string): boolean {
  const range = parseIpRange(value)
  return range !== undefined && range.prefixLength >= prefixLengthMin[range.address.family]
}
