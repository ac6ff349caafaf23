/** How users, groups, roles and policies stand in IAM's answers. */
import type { Group, ManagedPolicy, PolicyUse, PolicyVersion, User } from '../model/identities.ts'
import type { Role } from '../model/role.ts'
import type { Tag } from '../model/tags.ts'
import type { XmlValue } from '../s3/xml/write.ts'

type XmlRecord = { readonly [name: string]: XmlValue }

/** IAM: seconds, for a role that was made without a value. */
export const maxSessionDurationDefault = 3600

export function timeText(ms: number): string {
  return new Date(ms).toISOString()
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html */
export function userDocument(user: User): XmlRecord {
  return { Path: user.path, UserName: user.name, UserId: user.id, Arn: user.arn, CreateDate: timeText(user.createdMs) }
}

/** With what only single answers hold. */
export function wholeUserDocument(user: User): XmlRecord {
  return { ...userDocument(user), ...boundaryMember(user), ...tagsMember(user.tags) }
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Group.html */
export function groupDocument(group: Group): XmlRecord {
  return { Path: group.path, GroupName: group.name, GroupId: group.id, Arn: group.arn, CreateDate: timeText(group.createdMs) }
}

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
export function roleDocument(role: Role): XmlRecord {
  return {
    Path: role.path,
    RoleName: role.name,
    RoleId: role.id,
    Arn: role.arn,
    CreateDate: timeText(role.createdMs),
    AssumeRolePolicyDocument: urlEncoded(role.trustPolicy),
    Description: role.description,
    MaxSessionDuration: role.maxSessionDuration ?? maxSessionDurationDefault,
  }
}

export function wholeRoleDocument(role: Role): XmlRecord {
  return { ...roleDocument(role), ...boundaryMember(role), ...tagsMember(role.tags) }
}

/** With how often it is used, which IAM counts in every answer about it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html */
export function policyDocument(policy: ManagedPolicy, { attachments, boundaries }: PolicyUse): XmlRecord {
  return {
    PolicyName: policy.name,
    PolicyId: policy.id,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: policy.defaultVersionId,
    AttachmentCount: attachments,
    PermissionsBoundaryUsageCount: boundaries,
    IsAttachable: true,
    CreateDate: timeText(policy.createdMs),
    UpdateDate: timeText(policy.updatedMs),
  }
}

export function policyVersionDocument(version: PolicyVersion, { defaultVersionId }: ManagedPolicy): XmlRecord {
  return { VersionId: version.id, IsDefaultVersion: version.id === defaultVersionId, CreateDate: timeText(version.createdMs) }
}

export function tagsMember(tags: readonly Tag[]): XmlRecord {
  return tags.length === 0 ? {} : { Tags: { member: tagList(tags) } }
}

export function tagList(tags: readonly Tag[]): readonly XmlRecord[] {
  return tags.map(({ Key, Value }) => ({ Key, Value }))
}

export function boundaryMember({ boundary }: { readonly boundary?: string }): XmlRecord {
  if (boundary === undefined) return {}
  return { PermissionsBoundary: { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: boundary } }
}

/** As lists of attached policies hold it. */
export function attachedDocument(arn: string): XmlRecord {
  return { PolicyName: arn.slice(arn.lastIndexOf('/') + 1), PolicyArn: arn }
}

/** "Policies returned by this operation are URL-encoded compliant with RFC 3986." */
export function urlEncoded(document: string): string {
  return encodeURIComponent(document).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
}
