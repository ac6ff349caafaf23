/** The form of changes of accounts, identities and keys that one region asks another to write. A row stays for ever: it is looked at strictly. */
import { z } from 'zod'
import { foldName } from '../model/iam-names.ts'
import type { AccessKey, Account, Group, ManagedPolicy, User } from '../model/identities.ts'
import type { IdentityChange, IdentityEdit } from '../model/identity-changes.ts'
import { identityTagsMax } from '../model/identity-limits.ts'
import type { Role } from '../model/role.ts'

/** IAM: a policy document before any quota, white space counted. */
const documentLengthMax = 131_072
/** A trust policy has 2,048 characters, and an ARN 30 at the least. */
const principalsMax = 100
const time = z.int().min(0)
const accountId = z.string().regex(/^[0-9]{12}$/)
const name = z.string().regex(/^[\w+=,.@-]{1,128}$/)
const path = z.string().regex(/^\/(?:[\x21-\x7e]{1,510}\/)?$/)
const arn = z
  .string()
  .max(2048)
  .regex(/^arn:aws:iam::(?:[0-9]{12}|aws):[\x21-\x7e]+$/)
const identityId = z.string().regex(/^[A-Za-z0-9]{1,128}$/)
const accessKeyId = z.string().regex(/^[A-Za-z0-9]{16,128}$/)
const description = z.string().max(1000)
const tags = z.array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) })).max(identityTagsMax)
const versionId = z.string().regex(/^v[0-9]{1,15}$/)

/** NOTE: whether it can be read is judged with the change itself, so that the refusal is IAM's wherever the change was asked for. */
const document = z.string().min(1).max(documentLengthMax)

/** By ARNs of users, roles and their sessions, as many as a trust policy has room for. */
const principalIds = z
  .record(
    z
      .string()
      .max(2048)
      .regex(/^arn:aws:(?:iam|sts)::[0-9]{12}:[\x21-\x7e]+$/),
    identityId,
  )
  .refine((ids) => Object.keys(ids).length <= principalsMax, 'names too many')

const account: z.ZodType<Account> = z.strictObject({
  accountId,
  canonicalId: z.string().regex(/^[0-9a-f]{64}$/),
  displayName: z.string().min(1).max(128),
  email: z.string().min(1).max(320).exactOptional(),
  status: z.enum(['active', 'disabled']),
  createdMs: time,
})

const accessKey: z.ZodType<AccessKey> = z.strictObject({
  accessKeyId,
  accountId,
  userName: name.exactOptional(),
  status: z.enum(['Active', 'Inactive']),
  createdMs: time,
  sealedSecret: z.string().min(1).max(512),
})

const common = { accountId, name, path, arn, id: identityId, createdMs: time }
/** Policies come one by one, so that each is a row that can be waited for. */
const withoutPolicies = { inlinePolicies: z.strictObject({}), attachedPolicies: z.tuple([]) }

const user: z.ZodType<User> = z.strictObject({
  type: z.literal('user'),
  ...common,
  ...withoutPolicies,
  groups: z.tuple([]),
  boundary: arn.exactOptional(),
  tags,
})
const group: z.ZodType<Group> = z.strictObject({ type: z.literal('group'), ...common, ...withoutPolicies })
const role: z.ZodType<Role> = z.strictObject({
  type: z.literal('role'),
  ...common,
  ...withoutPolicies,
  trustPolicy: document,
  trustPrincipals: principalIds.exactOptional(),
  description: description.exactOptional(),
  maxSessionDuration: z.int().min(3600).max(43_200).exactOptional(),
  boundary: arn.exactOptional(),
  tags,
})
const managedPolicy: z.ZodType<ManagedPolicy> = z.strictObject({
  type: z.literal('policy'),
  ...common,
  updatedMs: time,
  description: description.exactOptional(),
  versions: z.tuple([z.strictObject({ id: z.literal('v1'), document, createdMs: time })]),
  defaultVersionId: z.literal('v1'),
  nextVersion: z.literal(2),
  tags,
})

const identity = z.union([user, group, role, managedPolicy]).refine((made) => {
  // Names that differ by their case alone are one: so is the ARN.
  return foldName(made.arn) === foldName(`arn:aws:iam::${made.accountId}:${made.type}${made.path}${made.name}`)
}, 'has the ARN of another')

const key = z.strictObject({ accountId, type: z.enum(['user', 'group', 'role', 'policy']), name })

const edit: z.ZodType<IdentityEdit> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('putInlinePolicy'), policyName: name, document }),
  z.strictObject({ kind: z.literal('deleteInlinePolicy'), policyName: name }),
  z.strictObject({ kind: z.literal('attachPolicy'), arn }),
  z.strictObject({ kind: z.literal('detachPolicy'), arn }),
  z.strictObject({ kind: z.literal('setBoundary'), arn: arn.exactOptional() }),
  z.strictObject({ kind: z.literal('tag'), tags }),
  z.strictObject({ kind: z.literal('untag'), tagKeys: z.array(z.string().min(1).max(128)).max(identityTagsMax) }),
  z.strictObject({ kind: z.literal('addToGroup'), group: name }),
  z.strictObject({ kind: z.literal('removeFromGroup'), group: name }),
  z.strictObject({ kind: z.literal('setTrustPolicy'), document, principals: principalIds.exactOptional() }),
  z.strictObject({
    kind: z.literal('describeRole'),
    description: description.exactOptional(),
    maxSessionDuration: z.int().min(3600).max(43_200).exactOptional(),
  }),
  z.strictObject({ kind: z.literal('createPolicyVersion'), document, isDefault: z.boolean(), createdMs: time }),
  z.strictObject({ kind: z.literal('deletePolicyVersion'), versionId }),
  z.strictObject({ kind: z.literal('setDefaultPolicyVersion'), versionId }),
])

const keyOf = { accountId, userName: name.exactOptional(), accessKeyId }

export const identityChangeSchema: z.ZodType<IdentityChange> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('createAccount'), account, rootKey: accessKey.exactOptional() }),
  z.strictObject({
    kind: z.literal('changeAccount'),
    accountId,
    set: z.strictObject({
      status: z.enum(['active', 'disabled']).exactOptional(),
      displayName: z.string().min(1).max(128).exactOptional(),
      email: z.string().min(1).max(320).exactOptional(),
    }),
  }),
  z.strictObject({ kind: z.literal('deleteAccount'), accountId }),
  z.strictObject({ kind: z.literal('createIdentity'), identity }),
  z.strictObject({ kind: z.literal('deleteIdentity'), of: key }),
  z.strictObject({ kind: z.literal('editIdentity'), of: key, edit }),
  z.strictObject({ kind: z.literal('createAccessKey'), key: accessKey }),
  z.strictObject({ kind: z.literal('setAccessKeyStatus'), ...keyOf, status: z.enum(['Active', 'Inactive']) }),
  z.strictObject({ kind: z.literal('deleteAccessKey'), ...keyOf }),
])
