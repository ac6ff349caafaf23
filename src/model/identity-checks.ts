/**
 * What IAM refuses of an identity, as far as the identity itself says it, in IAM's codes and words.
 * What other rows say is checked where they are (`metadata`).
 */
import { S3Error, type S3ErrorCode } from './errors.ts'
import type { Identity, IdentityOf, IdentityType, ManagedPolicy, User } from './identities.ts'
import type { IdentityEdit } from './identity-changes.ts'
import { applyEdit, type EditOf, type Holder, includesName, withTags } from './identity-edits.ts'
import {
  attachedPoliciesMax,
  groupsPerUserMax,
  identityTagsMax,
  inlinePoliciesSizeMax,
  managedPolicySizeMax,
  policyVersionsMax,
} from './identity-limits.ts'
import { parsePolicy, policySize } from './policy-document.ts'
import { PolicyError } from './policy-error.ts'
import type { Tag } from './tags.ts'

/** `User`, `Role`: as IAM's sentences begin. */
export const typeNames: Readonly<Record<IdentityType, string>> = { user: 'User', group: 'Group', role: 'Role', policy: 'Policy' }

/** @throws S3Error MalformedPolicyDocument | LimitExceeded */
export function checkNewIdentity(identity: Identity): void {
  if (identity.type === 'role') checkDocument(identity.trustPolicy, 'trust')
  if (identity.type === 'policy') for (const { document } of identity.versions) checkManagedDocument(document)
  if (identity.type !== 'group') checkTagCount(identity.tags)
}

/**
 * Whether the edit may be made.
 * @throws S3Error NoSuchEntity | LimitExceeded | MalformedPolicyDocument | DeleteConflict; ValidationError for an edit that is not for this type
 */
export function checkEdit(identity: Identity, edit: IdentityEdit): void {
  switch (edit.kind) {
    case 'putInlinePolicy':
    case 'deleteInlinePolicy':
    case 'attachPolicy':
    case 'detachPolicy':
      checkPolicies(oneOf(identity, 'user', 'group', 'role'), edit)
      return
    case 'setBoundary':
      oneOf(identity, 'user', 'role')
      return
    case 'tag':
      checkTagCount(withTags(oneOf(identity, 'user', 'role', 'policy').tags, edit.tags))
      return
    case 'untag':
      oneOf(identity, 'user', 'role', 'policy')
      return
    case 'addToGroup':
    case 'removeFromGroup':
      checkMembership(oneOf(identity, 'user'), edit)
      return
    case 'setTrustPolicy':
      oneOf(identity, 'role')
      checkDocument(edit.document, 'trust')
      return
    case 'describeRole':
      oneOf(identity, 'role')
      return
    case 'createPolicyVersion':
    case 'deletePolicyVersion':
    case 'setDefaultPolicyVersion':
      checkVersions(oneOf(identity, 'policy'), edit)
      return
    default:
      edit satisfies never
  }
}

/** @throws S3Error DeleteConflict: what stands in the identity itself must go first */
export function checkDeletable(identity: Identity): void {
  if (identity.type === 'policy') {
    if (identity.versions.length <= 1) return
    throw deleteConflict(
      "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
    )
  }
  if (Object.keys(identity.inlinePolicies).length > 0) throw deleteConflict('Cannot delete entity, must delete policies first.')
  if (identity.attachedPolicies.length > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.')
  if (identity.type === 'user' && identity.groups.length > 0) {
    throw deleteConflict('Cannot delete entity, must remove users from group first.')
  }
}

export function limitExceeded(quota: string, max: number): S3Error {
  return new S3Error('LimitExceeded', { message: `Cannot exceed quota for ${quota}: ${max}` })
}

export function noSuchEntity(message: string): S3Error {
  return new S3Error('NoSuchEntity', { message })
}

export function deleteConflict(message: string): S3Error {
  return new S3Error('DeleteConflict', { message })
}

function checkPolicies(identity: Holder, edit: EditOf<'putInlinePolicy' | 'deleteInlinePolicy' | 'attachPolicy' | 'detachPolicy'>): void {
  const { type, inlinePolicies, attachedPolicies } = identity
  switch (edit.kind) {
    case 'putInlinePolicy':
      checkInlinePolicies(identity, edit)
      return
    case 'deleteInlinePolicy':
      if (Object.hasOwn(inlinePolicies, edit.policyName)) return
      throw noSuchEntity(`The ${type} policy with name ${edit.policyName} cannot be found.`)
    case 'attachPolicy':
      if (attachedPolicies.includes(edit.arn) || attachedPolicies.length < attachedPoliciesMax) return
      throw limitExceeded(`PoliciesPer${typeNames[type]}`, attachedPoliciesMax)
    case 'detachPolicy':
      if (attachedPolicies.includes(edit.arn)) return
      throw noSuchEntity(`Policy ${edit.arn} was not found.`)
    default:
      edit satisfies never
  }
}

function checkInlinePolicies(identity: Holder, edit: EditOf<'putInlinePolicy'>): void {
  checkDocument(edit.document, 'identity')
  const { type, name, inlinePolicies } = applyEdit(identity, edit) as Holder // an edit never changes the type
  const max = inlinePoliciesSizeMax[type]
  if (Object.values(inlinePolicies).reduce((sum, text) => sum + policySize(text), 0) <= max) return
  throw new S3Error('LimitExceeded', { message: `Maximum policy size of ${max} bytes exceeded for ${type} ${name}` })
}

function checkManagedDocument(document: string): void {
  checkDocument(document, 'identity')
  if (policySize(document) > managedPolicySizeMax) throw limitExceeded('PolicySize', managedPolicySizeMax)
}

function checkDocument(document: string, kind: Parameters<typeof parsePolicy>[1]): void {
  try {
    parsePolicy(document, kind)
  } catch (cause) {
    if (!(cause instanceof PolicyError)) throw cause
    const code: S3ErrorCode = cause.kind === 'malformed' ? 'MalformedPolicyDocument' : 'LimitExceeded'
    throw new S3Error(code, { message: cause.message, cause })
  }
}

function checkTagCount(tags: readonly Tag[]): void {
  if (tags.length > identityTagsMax) throw new S3Error('LimitExceeded', { message: 'The number of tags has reached the maximum limit.' })
}

function checkMembership({ name, groups }: User, { kind, group }: EditOf<'addToGroup' | 'removeFromGroup'>): void {
  const isMember = includesName(groups, group)
  if (kind === 'removeFromGroup' && !isMember) throw noSuchEntity(`User ${name} is not in group ${group}.`)
  if (kind === 'addToGroup' && !isMember && groups.length >= groupsPerUserMax) throw limitExceeded('GroupsPerUser', groupsPerUserMax)
}

function checkVersions(
  { arn, versions, defaultVersionId }: ManagedPolicy,
  edit: EditOf<'createPolicyVersion' | 'deletePolicyVersion' | 'setDefaultPolicyVersion'>,
): void {
  if (edit.kind === 'createPolicyVersion') {
    checkManagedDocument(edit.document)
    if (versions.length < policyVersionsMax) return
    throw new S3Error('LimitExceeded', {
      message: `A managed policy can have up to ${policyVersionsMax} versions. Before you create a new version, you must delete an existing version.`,
    })
  }
  if (!versions.some(({ id }) => id === edit.versionId)) {
    throw noSuchEntity(`Policy ${arn} version ${edit.versionId} does not exist or is not attachable.`)
  }
  if (edit.kind === 'deletePolicyVersion' && edit.versionId === defaultVersionId) {
    throw deleteConflict('Cannot delete the default version of a policy.')
  }
}

/** @throws S3Error ValidationError */
function oneOf<Type extends IdentityType>(identity: Identity, ...types: readonly Type[]): IdentityOf<Type> {
  if (types.some((type) => type === identity.type)) return identity as IdentityOf<Type> // as its type says
  throw new S3Error('ValidationError', { message: `A ${identity.type} has nothing of that kind.` })
}
