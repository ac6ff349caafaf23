/**
 * What an edit makes of an identity. NOTE: it refuses nothing: an edit that stands in the log was checked when it was written (`identity-checks`),
 * and must come out the same in every region, whatever the rules have become since.
 */
import { foldName } from './iam-names.ts'
import type { Group, Identity, ManagedPolicy, Policies, User } from './identities.ts'
import type { IdentityEdit } from './identity-changes.ts'
import type { Role } from './role.ts'
import type { Tag } from './tags.ts'

export type EditOf<Kind extends IdentityEdit['kind']> = Extract<IdentityEdit, { readonly kind: Kind }>
export type Holder = User | Group | Role

/** An edit that is not for this type of identity leaves it as it is. */
export function applyEdit(identity: Identity, edit: IdentityEdit): Identity {
  switch (edit.kind) {
    case 'putInlinePolicy':
    case 'deleteInlinePolicy':
    case 'attachPolicy':
    case 'detachPolicy':
      return identity.type === 'policy' ? identity : { ...identity, ...editedPolicies(identity, edit) }
    case 'setBoundary':
      return identity.type === 'user' || identity.type === 'role' ? withBoundary(identity, edit.arn) : identity
    case 'tag':
      return identity.type === 'group' ? identity : { ...identity, tags: withTags(identity.tags, edit.tags) }
    case 'untag':
      return identity.type === 'group' ? identity : { ...identity, tags: withoutTags(identity.tags, edit.tagKeys) }
    case 'addToGroup':
      return identity.type === 'user' ? { ...identity, groups: [...without(identity.groups, edit.group), edit.group] } : identity
    case 'removeFromGroup':
      return identity.type === 'user' ? { ...identity, groups: without(identity.groups, edit.group) } : identity
    case 'setTrustPolicy':
      return identity.type === 'role' ? trusting(identity, edit) : identity
    case 'describeRole':
      return identity.type === 'role' ? described(identity, edit) : identity
    case 'createPolicyVersion':
    case 'deletePolicyVersion':
    case 'setDefaultPolicyVersion':
      return identity.type === 'policy' ? editedVersions(identity, edit) : identity
    default:
      return edit satisfies never
  }
}

/** Keys are one whatever their case, and the newer spelling stays. */
export function withTags(standing: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const keys = added.map(({ Key }) => Key)
  return [...withoutTags(standing, keys), ...added]
}

/** Whether a list of names holds this one, in whatever case. */
export function includesName(names: readonly string[], name: string): boolean {
  return names.some((one) => foldName(one) === foldName(name))
}

function editedPolicies(
  { inlinePolicies, attachedPolicies }: Policies,
  edit: EditOf<'putInlinePolicy' | 'deleteInlinePolicy' | 'attachPolicy' | 'detachPolicy'>,
): Policies {
  switch (edit.kind) {
    case 'putInlinePolicy': {
      const others = Object.entries(inlinePolicies).filter(([name]) => name !== edit.policyName)
      return { inlinePolicies: Object.fromEntries([...others, [edit.policyName, edit.document]]), attachedPolicies }
    }
    case 'deleteInlinePolicy': {
      const kept = Object.entries(inlinePolicies).filter(([name]) => name !== edit.policyName)
      return { inlinePolicies: Object.fromEntries(kept), attachedPolicies }
    }
    case 'attachPolicy':
      return { inlinePolicies, attachedPolicies: [...attachedPolicies.filter((arn) => arn !== edit.arn), edit.arn] }
    case 'detachPolicy':
      return { inlinePolicies, attachedPolicies: attachedPolicies.filter((arn) => arn !== edit.arn) }
    default:
      return edit satisfies never
  }
}

function withBoundary<Bounded extends User | Role>(identity: Bounded, arn: string | undefined): Bounded {
  const { boundary: _, ...unbounded } = identity
  return { ...unbounded, ...(arn !== undefined && { boundary: arn }) } as Bounded // the same members, one of them optional
}

/** NOTE: ids of the policy before would say whom this one means: they go with it. */
function trusting({ trustPrincipals: _, ...role }: Role, { document, principals }: EditOf<'setTrustPolicy'>): Role {
  return { ...role, trustPolicy: document, ...(principals !== undefined && { trustPrincipals: principals }) }
}

function described(role: Role, { description, maxSessionDuration }: EditOf<'describeRole'>): Role {
  return {
    ...role,
    ...(description !== undefined && { description }),
    ...(maxSessionDuration !== undefined && { maxSessionDuration }),
  }
}

function editedVersions(
  policy: ManagedPolicy,
  edit: EditOf<'createPolicyVersion' | 'deletePolicyVersion' | 'setDefaultPolicyVersion'>,
): ManagedPolicy {
  switch (edit.kind) {
    case 'createPolicyVersion': {
      const { document, createdMs } = edit
      const id = `v${policy.nextVersion}`
      return {
        ...policy,
        updatedMs: createdMs,
        versions: [...policy.versions, { id, document, createdMs }],
        defaultVersionId: edit.isDefault ? id : policy.defaultVersionId,
        nextVersion: policy.nextVersion + 1,
      }
    }
    case 'deletePolicyVersion':
      return { ...policy, versions: policy.versions.filter(({ id }) => id !== edit.versionId) }
    case 'setDefaultPolicyVersion':
      return { ...policy, defaultVersionId: edit.versionId }
    default:
      return edit satisfies never
  }
}

function withoutTags(tags: readonly Tag[], keys: readonly string[]): readonly Tag[] {
  return tags.filter(({ Key }) => !includesName(keys, Key))
}

function without(names: readonly string[], name: string): readonly string[] {
  return names.filter((one) => foldName(one) !== foldName(name))
}
