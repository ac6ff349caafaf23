/**
 * Reads what a request's headers ask of an ACL: `x-amz-acl`, or `x-amz-grant-*`.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
 */
import { type CannedAcl, cannedAcls, checkGroup, type Grant, type Grantee, type Permission, type RequestedAcl } from './acl.ts'
import { S3Error } from './errors.ts'
import { type Headers, headerValue } from './headers.ts'
import { grantsMax } from './limits.ts'

const grantHeaders: readonly (readonly [header: string, permission: Permission])[] = [
  ['x-amz-grant-full-control', 'FULL_CONTROL'],
  ['x-amz-grant-read', 'READ'],
  ['x-amz-grant-write', 'WRITE'],
  ['x-amz-grant-read-acp', 'READ_ACP'],
  ['x-amz-grant-write-acp', 'WRITE_ACP'],
]

/** One `type="value"` or `type=value`, and the comma before the next; a quoted value may hold commas. */
const granteePattern = /\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([^",\s]+))\s*(,|$)/y

/**
 * `undefined` when the headers ask for nothing.
 * @throws S3Error InvalidRequest (canned and grants together) | InvalidArgument (unknown name, group or form) |
 *   UnresolvableGrantByEmailAddress (accounts have no mail addresses here)
 */
export function parseAclHeaders(headers: Headers): RequestedAcl | undefined {
  const canned = headerValue(headers, 'x-amz-acl')
  const grants: Grant[] = []
  let hasGrantHeader = false
  for (const [header, permission] of grantHeaders) {
    const value = headerValue(headers, header)
    if (value === undefined) continue
    hasGrantHeader = true
    for (const grantee of parseGrantees(header, value)) grants.push({ Grantee: grantee, Permission: permission })
    if (grants.length > grantsMax) throw new S3Error('MalformedACLError')
  }
  if (canned === undefined) return hasGrantHeader ? { kind: 'grants', grants } : undefined
  if (hasGrantHeader) throw new S3Error('InvalidRequest', { message: 'Specifying both Canned ACLs and Header Grants is not allowed' })
  return { kind: 'canned', canned: parseCannedAcl(canned) }
}

/** @throws S3Error InvalidArgument */
export function parseCannedAcl(name: string): CannedAcl {
  const canned = cannedAcls.find((known) => known === name)
  if (canned !== undefined) return canned
  const shown = name.slice(0, 64)
  throw new S3Error('InvalidArgument', {
    message: `"${shown}" is no canned ACL. There are: ${cannedAcls.join(', ')}.`,
    details: { ArgumentName: 'x-amz-acl', ArgumentValue: shown },
  })
}

function parseGrantees(header: string, value: string): readonly Grantee[] {
  const grantees: Grantee[] = []
  const pattern = new RegExp(granteePattern) // its own lastIndex
  while (pattern.lastIndex < value.length) {
    const match = pattern.exec(value)
    if (match === null) throw unreadable(header, value)
    grantees.push(toGrantee({ header, type: match[1] ?? '', text: match[2] ?? match[3] ?? '' }))
  }
  if (grantees.length === 0) throw unreadable(header, value)
  return grantees
}

function toGrantee({ header, type, text }: { readonly header: string; readonly type: string; readonly text: string }): Grantee {
  switch (type.toLowerCase()) {
    case 'id':
      if (text === '') throw unreadable(header, text)
      return { Type: 'CanonicalUser', ID: text }
    case 'uri':
      checkGroup(text)
      return { Type: 'Group', URI: text }
    case 'emailaddress':
      throw new S3Error('UnresolvableGrantByEmailAddress', { details: { EmailAddress: text.slice(0, 256) } })
    default:
      throw unreadable(header, type)
  }
}

function unreadable(header: string, value: string): S3Error {
  return new S3Error('InvalidArgument', {
    message: 'Argument format not recognized',
    details: { ArgumentName: header, ArgumentValue: value.slice(0, 256) },
  })
}
