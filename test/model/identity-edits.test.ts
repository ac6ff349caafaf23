import { describe, expect, it } from 'vitest'
import { S3Error } from '../../src/model/errors.ts'
import type { Group, Identity, ManagedPolicy, User } from '../../src/model/identities.ts'
import type { IdentityEdit } from '../../src/model/identity-changes.ts'
import { checkDeletable, checkEdit, checkNewIdentity } from '../../src/model/identity-checks.ts'
import { applyEdit } from '../../src/model/identity-edits.ts'
import type { Role } from '../../src/model/role.ts'

const accountId = '111122223333'
const common = { accountId, name: 'ann', path: '/', arn: 'arn', id: 'id', createdMs: 1 }
const none = { inlinePolicies: {}, attachedPolicies: [] }
const document = (resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: resource }] })
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'sts:AssumeRole' }],
})

const user: User = { type: 'user', ...common, ...none, groups: [], tags: [] }
const group: Group = { type: 'group', ...common, ...none }
const role: Role = { type: 'role', ...common, ...none, trustPolicy: trust, tags: [] }
const policy: ManagedPolicy = {
  type: 'policy',
  ...common,
  updatedMs: 1,
  versions: [{ id: 'v1', document: document(), createdMs: 1 }],
  defaultVersionId: 'v1',
  nextVersion: 2,
  tags: [],
}
const holders = [
  ['user', user],
  ['group', group],
  ['role', role],
] as const

/** As home and every follower go about it. */
function edited<Kind extends Identity>(identity: Kind, ...edits: readonly IdentityEdit[]): Kind {
  let now: Identity = identity
  for (const edit of edits) {
    checkEdit(now, edit)
    now = applyEdit(now, edit)
  }
  return now as Kind // an edit never changes the type
}

function refusal(work: () => unknown): { readonly code: string; readonly message: string } {
  try {
    work()
  } catch (error) {
    if (error instanceof S3Error) return { code: error.code, message: error.message }
    throw error
  }
  throw new Error('it was not refused')
}

describe.each(holders)('a policy in a %s', (_, identity) => {
  it('is put, replaced and deleted by name, whatever the name', () => {
    for (const policyName of ['p', '__proto__', 'constructor']) {
      const put = edited(identity, { kind: 'putInlinePolicy', policyName, document: document() })
      expect(Object.keys(put.inlinePolicies)).toEqual([policyName])
      const replaced = edited(put, { kind: 'putInlinePolicy', policyName, document: document('arn:aws:s3:::b') })
      expect(Object.values(replaced.inlinePolicies)).toEqual([document('arn:aws:s3:::b')])
      expect(edited(replaced, { kind: 'deleteInlinePolicy', policyName }).inlinePolicies).toEqual({})
    }
    expect(refusal(() => edited(identity, { kind: 'deleteInlinePolicy', policyName: 'toString' }))).toEqual({
      code: 'NoSuchEntity',
      message: `The ${identity.type} policy with name toString cannot be found.`,
    })
  })

  it('has the quota of its kind, without white space, together with the others', () => {
    const max = { user: 2_048, group: 5_120, role: 10_240 }[identity.type]
    const sized = (size: number) => document(`arn:aws:s3:::${'x'.repeat(size - document('arn:aws:s3:::').length)}`)
    const full = edited(identity, { kind: 'putInlinePolicy', policyName: 'p', document: `${sized(max)}${' '.repeat(5_000)}` })
    expect(refusal(() => edited(identity, { kind: 'putInlinePolicy', policyName: 'p', document: sized(max + 1) })).code).toBe(
      'LimitExceeded',
    )
    expect(refusal(() => edited(full, { kind: 'putInlinePolicy', policyName: 'q', document: document() })).code).toBe('LimitExceeded')
    edited(full, { kind: 'putInlinePolicy', policyName: 'p', document: document() })
  })

  it('is refused when it cannot be read', () => {
    const put = (text: string) => refusal(() => edited(identity, { kind: 'putInlinePolicy', policyName: 'p', document: text })).code
    expect([put('{'), put('{}'), put(trust)]).toEqual(['MalformedPolicyDocument', 'MalformedPolicyDocument', 'MalformedPolicyDocument'])
  })

  it('is attached up to ten times, and each once', () => {
    const attach = (i: number): IdentityEdit => ({ kind: 'attachPolicy', arn: `arn:aws:iam::${accountId}:policy/p${i}` })
    const ten = edited(identity, ...Array.from({ length: 10 }, (_, i) => attach(i)), attach(0))
    expect(ten.attachedPolicies).toHaveLength(10)
    expect(refusal(() => edited(ten, attach(10)))).toMatchObject({ code: 'LimitExceeded', message: expect.stringContaining(': 10') })
    const detach: IdentityEdit = { kind: 'detachPolicy', arn: `arn:aws:iam::${accountId}:policy/p3` }
    const nine = edited(ten, detach)
    expect(nine.attachedPolicies).toHaveLength(9)
    expect(refusal(() => edited(nine, detach)).code).toBe('NoSuchEntity')
  })

  it('keeps it from being deleted', () => {
    expect(() => checkDeletable(identity)).not.toThrow()
    const inline = edited(identity, { kind: 'putInlinePolicy', policyName: 'p', document: document() })
    expect(refusal(() => checkDeletable(inline))).toEqual({
      code: 'DeleteConflict',
      message: 'Cannot delete entity, must delete policies first.',
    })
    const attached = edited(identity, { kind: 'attachPolicy', arn: 'arn:aws:iam::aws:policy/AdministratorAccess' })
    expect(refusal(() => checkDeletable(attached)).message).toContain('must detach all policies first')
  })
})

describe('a user', () => {
  const add = (name: string): IdentityEdit => ({ kind: 'addToGroup', group: name })

  it('is in up to ten groups, in each once whatever the case', () => {
    const ten = edited(user, ...Array.from({ length: 10 }, (_, i) => add(`g${i}`)), add('G0'))
    expect(ten.groups).toHaveLength(10)
    expect(refusal(() => edited(ten, add('g10'))).code).toBe('LimitExceeded')
    expect(edited(ten, { kind: 'removeFromGroup', group: 'G9' }).groups).not.toContain('g9')
    expect(refusal(() => edited(user, { kind: 'removeFromGroup', group: 'g' })).code).toBe('NoSuchEntity')
    expect(refusal(() => checkDeletable(ten)).message).toContain('must remove users from group first')
  })

  it('has a boundary, and none again', () => {
    const bounded = edited(user, { kind: 'setBoundary', arn: 'arn:aws:iam::aws:policy/IAMReadOnlyAccess' })
    expect(bounded.boundary).toBe('arn:aws:iam::aws:policy/IAMReadOnlyAccess')
    expect(edited(bounded, { kind: 'setBoundary' })).toEqual(user)
  })

  it('has up to fifty tags, whose keys are one whatever their case', () => {
    const tag = (Key: string, Value = ''): IdentityEdit => ({ kind: 'tag', tags: [{ Key, Value }] })
    const tagged = edited(user, tag('Team', 'a'), tag('team', 'b'))
    expect(tagged.tags).toEqual([{ Key: 'team', Value: 'b' }])
    expect(edited(tagged, { kind: 'untag', tagKeys: ['TEAM', 'none'] }).tags).toEqual([])
    const fifty = edited(user, ...Array.from({ length: 50 }, (_, i) => tag(`k${i}`)))
    expect(refusal(() => edited(fifty, tag('more'))).code).toBe('LimitExceeded')
    edited(fifty, tag('K7', 'again'))
  })
})

describe('a role', () => {
  it('takes another trust policy, description and duration', () => {
    const other = trust.replace('s3.amazonaws.com', 'batchoperations.s3.amazonaws.com')
    const changed = edited(
      role,
      { kind: 'setTrustPolicy', document: other },
      { kind: 'describeRole', description: 'd', maxSessionDuration: 7200 },
    )
    expect(changed).toMatchObject({ trustPolicy: other, description: 'd', maxSessionDuration: 7200 })
    expect(edited(changed, { kind: 'describeRole' })).toEqual(changed)
    expect(refusal(() => edited(role, { kind: 'setTrustPolicy', document: document() })).code).toBe('MalformedPolicyDocument')
  })
})

describe('a managed policy', () => {
  const version = (isDefault: boolean): IdentityEdit => ({ kind: 'createPolicyVersion', document: document(), isDefault, createdMs: 9 })

  it('numbers its versions on, and never uses one again', () => {
    const two = edited(policy, version(true))
    expect(two).toMatchObject({ defaultVersionId: 'v2', nextVersion: 3, updatedMs: 9 })
    const one = edited(two, { kind: 'setDefaultPolicyVersion', versionId: 'v1' }, { kind: 'deletePolicyVersion', versionId: 'v2' })
    expect(edited(one, version(false)).versions.map(({ id }) => id)).toEqual(['v1', 'v3'])
  })

  it('has five versions at most, keeps its default, and knows no other', () => {
    const five = edited(policy, ...Array.from({ length: 4 }, () => version(false)))
    expect(refusal(() => edited(five, version(true))).code).toBe('LimitExceeded')
    expect(refusal(() => edited(five, { kind: 'deletePolicyVersion', versionId: 'v1' })).code).toBe('DeleteConflict')
    expect(refusal(() => edited(five, { kind: 'deletePolicyVersion', versionId: 'v6' })).code).toBe('NoSuchEntity')
    expect(refusal(() => edited(five, { kind: 'setDefaultPolicyVersion', versionId: 'v0' })).code).toBe('NoSuchEntity')
    expect(refusal(() => checkDeletable(five)).code).toBe('DeleteConflict')
  })

  it('has at most 6,144 characters', () => {
    const long = document(`arn:aws:s3:::${'x'.repeat(6_145 - document('arn:aws:s3:::').length)}`)
    const create: IdentityEdit = { kind: 'createPolicyVersion', document: long, isDefault: false, createdMs: 1 }
    expect(refusal(() => edited(policy, create)).code).toBe('LimitExceeded')
    const made: ManagedPolicy = { ...policy, versions: [{ id: 'v1', document: long, createdMs: 1 }] }
    expect(refusal(() => checkNewIdentity(made)).code).toBe('LimitExceeded')
  })
})

describe('an edit that is not for the type', () => {
  it.each<[Identity, IdentityEdit]>([
    [policy, { kind: 'putInlinePolicy', policyName: 'p', document: document() }],
    [policy, { kind: 'setBoundary' }],
    [group, { kind: 'tag', tags: [] }],
    [group, { kind: 'setBoundary' }],
    [role, { kind: 'addToGroup', group: 'g' }],
    [user, { kind: 'setTrustPolicy', document: trust }],
    [user, { kind: 'setDefaultPolicyVersion', versionId: 'v1' }],
  ])('is refused, and changes nothing', (identity, edit) => {
    expect(refusal(() => checkEdit(identity, edit)).code).toBe('ValidationError')
    expect(applyEdit(identity, edit)).toEqual(identity)
  })
})
