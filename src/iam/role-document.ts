/** How a role and its policies stand in IAM's answers. */
import type { Role } from '../model/role.ts'
import type { XmlValue } from '../s3/xml/write.ts'

/** IAM: seconds, for a role that was made without a value. */
const maxSessionDurationDefault = 3600

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
export function roleDocument(role: Role): { readonly [name: string]: XmlValue } {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: new Date(role.createdMs).toISOString(),
    AssumeRolePolicyDocument: urlEncoded(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration ?? maxSessionDurationDefault,
  }
}

/** "Policies returned by this operation are URL-encoded compliant with RFC 3986." */
export function urlEncoded(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
